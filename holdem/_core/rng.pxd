# A counter-based random stream for each (seed, iteration, lane).
#
# A draw depends on nothing but these three numbers and how many draws came
# before it in the same stream. So any number of workers deals the same cards, and
# a resumed run draws what the killed one would have drawn. The mixing function is
# the finaliser of SplitMix64 (Steele, Lea & Flood 2014).
from libc.stdint cimport uint32_t, uint64_t

cdef struct Stream:
    uint64_t key
    uint64_t counter


cdef inline uint64_t mix64(uint64_t z) noexcept nogil:
    """A bijection of 64-bit words that changes half the bits for each bit of input."""
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef inline Stream stream_for(uint64_t seed, uint64_t iteration, uint64_t lane) noexcept nogil:
    """The stream of *lane* in one iteration: lane 0 deals, lane 1 + p walks for player p."""
    cdef Stream stream
    # Each number is mixed before the next is added, so that neighbouring seeds,
    # iterations and lanes share no run of draws.
    stream.key = mix64(mix64(mix64(seed + <uint64_t>0x9E3779B97F4A7C15) + iteration) + lane)
    stream.counter = 0
    return stream


cdef inline uint64_t next_word(Stream* stream) noexcept nogil:
    """The next 64 random bits."""
    stream.counter += <uint64_t>0x9E3779B97F4A7C15
    return mix64(stream.key + stream.counter)


cdef inline float next_float(Stream* stream) noexcept nogil:
    """A float in [0, 1): 24 random bits, each value exactly representable."""
    return <float>(next_word(stream) >> 40) * <float>5.9604644775390625e-08


cdef inline uint32_t next_below(Stream* stream, uint32_t bound) noexcept nogil:
    """A whole number in [0, bound). Off uniform by less than bound / 2^32."""
    return <uint32_t>(((next_word(stream) >> 32) * bound) >> 32)
