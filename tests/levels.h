/* Compiled in before everything by tests/test_levels.py: the environment says how far the
 * instruction sets go that clones of functions are chosen by. The compiler's own question
 * asks the processor, and no variable changes what it says. */
#include <stdlib.h>
#include <string.h>

static inline int holdem_level(void) {
    const char *level = getenv("HOLDEM_LEVEL");
    return level == NULL ? 2 : atoi(level);
}

static inline int holdem_needs(const char *name) {
    return strncmp(name, "avx512", 6) == 0 ? 2 : strcmp(name, "avx2") == 0 ? 1 : 0;
}

#define __builtin_cpu_supports(name) \
    (holdem_level() >= holdem_needs(name) && (__builtin_cpu_supports)(name))
