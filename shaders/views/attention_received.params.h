#ifndef VITRINE_SHADERS_VIEWS_ATTENTION_RECEIVED_PARAMS_H
#define VITRINE_SHADERS_VIEWS_ATTENTION_RECEIVED_PARAMS_H
#include "views/head.params.h"
VITRINE_SHARED_BEGIN

struct AttentionReceivedParams {
  HeadRows head;
  device_address received;  // (tokens) f32
  uint query_step;          // every query_step-th query is looked at; a multiple of q_step
};

VITRINE_SHARED_END
#endif
