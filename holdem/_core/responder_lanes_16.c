#define NUM_LANES 16
#include "responder_passes.h"

const lane_passes_t RESPONDER_LANES_16 = PASSES;
