/* What the files of the admin client share. */
#ifndef WEIR_ADMIN_REQUEST_H
#define WEIR_ADMIN_REQUEST_H

#include "addon.h"

void admin_ask(task_t *task, rd_kafka_admin_op_t op,
               void (*send)(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue));
client_t *admin_of(napi_env env, napi_value value);
task_t *admin_texts_task(napi_env env, napi_callback_info info, const char *action);
void admin_offset_functions(napi_env env, napi_value exports);

#endif
