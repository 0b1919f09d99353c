# What LuCI's luci.mk makes of a folder: htdocs and root are copied, each po/<language> becomes a package of its own.
LUCI_NAME := $(notdir $(CURDIR))
LUCI_BASENAME := $(patsubst luci-proto-%,%,$(patsubst luci-app-%,%,$(LUCI_NAME)))
LUCI_LANGUAGES := $(sort $(filter-out templates,$(notdir $(wildcard po/*))))
LUCI_LANG.de := Deutsch (German)
LUCI_LANG.ru := Русский (Russian)
LUCI_LANG.zh_Hans := 简体中文 (Simplified Chinese)
# What packages and catalogues of a language are called, where it is not as its folder.
LUCI_ALIAS.zh_Hans := zh-cn
luci_alias = $(or $(LUCI_ALIAS.$(1)),$(1))

PKG_NAME := $(LUCI_NAME)
include $(INCLUDE_DIR)/package.mk

define Package/$(PKG_NAME)
  SECTION := luci
  TITLE := $(LUCI_TITLE)
  DEPENDS := $(LUCI_DEPENDS)
  PKGARCH := all
endef
Package/$(PKG_NAME)/description = $(LUCI_DESCRIPTION)

# The menu and the rights of the web interface are read anew.
define Package/$(PKG_NAME)/postinst
[ -n "$${IPKG_INSTROOT}" ] || {
	rm -f /tmp/luci-indexcache.*
	rm -rf /tmp/luci-modulecache/
	/etc/init.d/rpcd reload 2>/dev/null
	exit 0
}
endef

define Package/$(PKG_NAME)/install
	$(if $(wildcard htdocs),mkdir -p $(1)/www && $(CP) htdocs/. $(1)/www/)
	$(if $(wildcard root),$(CP) root/. $(1)/)
endef

# 1: name of the language in packages, 2: its folder
define LuciTranslation
  define Package/luci-i18n-$(LUCI_BASENAME)-$(1)
    SECTION := luci
    TITLE := $(PKG_NAME) - $(1) translation
    DEPENDS := $(PKG_NAME)
    PKGARCH := all
  endef
  Package/luci-i18n-$(LUCI_BASENAME)-$(1)/description = Translation for $(PKG_NAME) - $(LUCI_LANG.$(2))

  define Package/luci-i18n-$(LUCI_BASENAME)-$(1)/install
	mkdir -p $$(1)/etc/uci-defaults $$(1)/usr/lib/lua/luci/i18n
	echo "uci set luci.languages.$(subst -,_,$(1))='$(LUCI_LANG.$(2))'; uci commit luci" >$$(1)/etc/uci-defaults/luci-i18n-$(LUCI_BASENAME)-$(1)
	$(foreach po,$(wildcard po/$(2)/*.po),cd $(TOPDIR)/.. && node --import tsx po2lmo.ts $(CURDIR)/$(po) $$(1)/usr/lib/lua/luci/i18n/$(basename $(notdir $(po))).$(1).lmo;)
	chmod -R u=rwX,go=rX $$(1)/etc $$(1)/usr
  endef
endef

$(foreach language,$(LUCI_LANGUAGES),$(if $(LUCI_LANG.$(language)),,$(error LUCI_LANG.$(language) is missing in $(lastword $(MAKEFILE_LIST)))))
$(foreach language,$(LUCI_LANGUAGES),$(eval $(call LuciTranslation,$(call luci_alias,$(language)),$(language))))
$(foreach package,$(PKG_NAME) $(foreach language,$(LUCI_LANGUAGES),luci-i18n-$(LUCI_BASENAME)-$(call luci_alias,$(language))),$(eval $(call BuildPackage,$(package))))
