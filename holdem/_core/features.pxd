# What hands look like to the clustering: a kernel, nobody cimports it.
#
# A batch of hands is boards and, for each, a list of hole cards: the holes of board
# i are holes[offsets[i] : offsets[i + 1]].
cdef enum:
    NUM_BINS = 50              # of a histogram of river values over 0..1
    NUM_GROUPS = 8             # of opponents' hole cards on the river
    VALUE_UNIT = 1980          # a river value of 1: two half-wins against each of 990 opponents
    BLOCKED = 2047             # in the place of a river value: a hole card is on the board
    EQUITY_UNIT = 32768        # an equity of 1, as it is tallied
    POINT_UNIT = 4095          # a share of 1 among the coordinates of a river point
