PKG_BUILD_DIR ?= $(BUILD_DIR)/$(PKG_NAME)-$(PKG_VERSION)
STAGED := $(BUILD_DIR)/staged

.PHONY: all prepared built
all:

define Build/Prepare/Default
	@mkdir -p $(PKG_BUILD_DIR)
	$(if $(PKG_SOURCE),@echo '$(PKG_HASH)  $(PKG_SOURCE)' | sha256sum --check --quiet)
	$(if $(PKG_SOURCE),tar -C $(PKG_BUILD_DIR)/.. -xf $(PKG_SOURCE))
endef
Build/Prepare = $(Build/Prepare/Default)

prepared:
	@rm -rf $(PKG_BUILD_DIR)
	$(Build/Prepare)

built: prepared
	$(Build/Compile)

define Package/Default
  TITLE :=
  DEPENDS :=
  CONFLICTS :=
  PROVIDES :=
  SECTION :=
  URL :=
  LICENSE := $(PKG_LICENSE)
  MAINTAINER := $(PKG_MAINTAINER)
  PKGARCH := $(ARCH_PACKAGES)
  VERSION := $(PKG_VERSION)-r$(PKG_RELEASE)
endef

empty :=
space := $(empty) $(empty)
comma := ,
list = $(subst $(space),$(comma)$(space),$(strip $(1)))
# +package: needed and selected with us. @SYMBOL: a condition of the configuration, no package.
depends = $(call list,libc $(subst +,,$(filter-out @%,$(DEPENDS))))

define newline


endef

define control
Package: $(1)
Version: $(VERSION)
Depends: $(depends)$(if $(CONFLICTS),$(newline)Conflicts: $(call list,$(CONFLICTS)))$(if $(PROVIDES),$(newline)Provides: $(call list,$(PROVIDES)))
Source: $(PKG_NAME)
SourceName: $(PKG_NAME)
License: $(LICENSE)
Maintainer: $(MAINTAINER)
Section: $(SECTION)
SourceDateEpoch: $(SOURCE_DATE_EPOCH)$(if $(URL),$(newline)URL: $(URL))
Architecture: $(PKGARCH)
Installed-Size: 0
Description: $(subst $(newline),$(newline) ,$(or $(Package/$(1)/description),$(TITLE)))
endef

# What OpenWrt gives every package: its functions.sh enables the service, runs uci-defaults and the package's own -pkg script.
define script
#!/bin/sh
$(if $(filter default_postinst,$(1)),[ "$$IPKG_NO_SCRIPT" = 1 ] && exit 0$(newline))[ -s "$$IPKG_INSTROOT/lib/functions.sh" ] || exit 0
. "$$IPKG_INSTROOT/lib/functions.sh"
$(1) $$0 $$@
endef

define BuildPackage
  $(eval $(Package/Default))
  $(eval $(Package/$(1)))
  $(shell rm -rf $(STAGED)/$(1); mkdir -p $(STAGED)/$(1)/CONTROL)
  $(file >$(STAGED)/$(1)/CONTROL/control,$(control))
  $(file >$(STAGED)/$(1)/CONTROL/postinst,$(call script,default_postinst))
  $(file >$(STAGED)/$(1)/CONTROL/prerm,$(call script,default_prerm))
  $(if $(Package/$(1)/postinst),$(file >$(STAGED)/$(1)/CONTROL/postinst-pkg,$(Package/$(1)/postinst)))
  $(if $(Package/$(1)/postrm),$(file >$(STAGED)/$(1)/CONTROL/postrm,$(Package/$(1)/postrm)))
  $(if $(Package/$(1)/conffiles),$(file >$(STAGED)/$(1)/CONTROL/conffiles,$(Package/$(1)/conffiles)))

all: package-$(1)
.PHONY: package-$(1)
package-$(1): built
	$(call Package/$(1)/install,$(STAGED)/$(1))
	@find $(STAGED)/$(1) -type d -exec chmod 755 {} +
	@chmod 755 $(STAGED)/$(1)/CONTROL/*
	@chmod 644 $(STAGED)/$(1)/CONTROL/control $(wildcard $(STAGED)/$(1)/CONTROL/conffiles)
	@$(TOPDIR)/../ipk.sh $(STAGED)/$(1) $(PACKAGE_DIR)/$(1)_$(VERSION)_$(PKGARCH).ipk
	@cd $(TOPDIR)/.. && node --import tsx apk/pack.ts $(STAGED)/$(1) $(PACKAGE_DIR)/$(1)-$(VERSION).apk
endef
