#define NUM_LANES 8
#include "responder_passes.h"

const lane_passes_t RESPONDER_LANES_8 = PASSES;
