#define NUM_LANES 1
#include "responder_passes.h"

const lane_passes_t RESPONDER_LANES_1 = PASSES;
