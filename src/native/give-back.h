/* Memory that nobody needs any more, back to the kernel. */
#ifndef PPTP_GIVE_BACK_H
#define PPTP_GIVE_BACK_H

#include "environment.h"

napi_value give_back(napi_env env, napi_callback_info info);

#endif
