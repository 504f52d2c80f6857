# The tables of indexer.pyx, filled once at import: which shapes there are, and how an index of
# each is put together.


cdef inline int _plan_number(bint suited, int first, int second, int third) noexcept nogil:
    # Sizes of the hole suits and then of the other suits. Three settle the fourth.
    return suited << 9 | first << 6 | second << 3 | third


def _partitions(num_board):
    """Sizes of the four suits of a board, descending: every way to spread *num_board* cards."""
    return [
        (a, b, c, num_board - a - b - c)
        for a in range(num_board, -1, -1)
        for b in range(a, -1, -1)
        for c in range(b, -1, -1)
        if 0 <= num_board - a - b - c <= c
    ]


def _digits(sizes, num_hole_ranks):
    """Strides and powers of suits of these *sizes* (descending), and how many ways they have.

    Suits of one size are a multiset: the first of k has power k, the last power 1.
    """
    strides, powers, total = [], [], 1
    end = len(sizes)
    while end:
        begin = sizes.index(sizes[end - 1])
        ways = comb(NUM_RANKS, sizes[begin]) * comb(NUM_RANKS - sizes[begin], num_hole_ranks)
        run = end - begin
        # An empty suit has number 0 and adds nothing, whatever its stride and power.
        strides[:0] = [total if ways > 1 else 0] * run
        powers[:0] = [k if ways > 1 else 1 for k in range(run, 0, -1)]
        total *= comb(ways + run - 1, run)
        end = begin
    return strides, powers, total


def _fill_cards():
    """Fill the tables of cards, suits and sets of ranks."""
    cdef int card, high, low, i, ranks, rank, size, number
    for card in range(NUM_CARDS):
        CARD_BIT[card] = <uint64_t> 1 << ((card & 3) * 16 + (card >> 2))
    for high in range(4):
        for low in range(4):
            others = [suit for suit in range(4) if suit not in (high, low)]
            for i in range(3):
                OTHER_SUITS[high][low][i] = others[i] if i < len(others) else 4
    for size in range(NUM_RANKS + 1):
        for number in range(NUM_RANKS + 1):
            CHOOSE[size][number] = comb(size, number)
    for ranks in range(1 << NUM_RANKS):
        size = number = 0
        for rank in range(NUM_RANKS):
            if ranks >> rank & 1:
                size += 1
                number += CHOOSE[rank][size]
        SET_KEY[ranks] = size << KEY_BITS | number
        SET_OF_KEY[SET_KEY[ranks]] = ranks


cdef void _fill_shape(Shape* shape, offset, scale, sizes, num_hole_suits):
    cdef int i
    shape.offset = offset
    shape.scale = scale
    shape.num_hole_suits = num_hole_suits
    for i in range(4):
        shape.sizes[i] = sizes[i]


def _fill_boards(num_board):
    """Fill the plans of boards alone and return how many boards there are up to suits."""
    cdef int p, i, nb = num_board
    offset = 0
    for p, sizes in enumerate(_partitions(num_board)):
        PARTITION[nb][<int> (sizes[0] * 8 + sizes[1])] = p
        strides, powers, ways = _digits(sizes, 0)
        _fill_shape(&BOARD_SHAPES[nb][p], offset, ways, sizes, 0)
        BOARD_PLANS[nb][p].offset = offset
        for i in range(4):
            BOARD_PLANS[nb][p].strides[i] = strides[i]
            BOARD_PLANS[nb][p].powers[i] = powers[i]
        offset += ways
        NUM_PARTITIONS[nb] = p + 1
    return offset


def _fill_plan(int num_board, offset, hole_sizes, rest_sizes):
    cdef int first, second, third
    first, second, third, *_ = hole_sizes + rest_sizes
    cdef bint suited = len(hole_sizes) == 1
    cdef Plan* plan = &PLANS[num_board][_plan_number(suited, first, second, third)]
    strides, powers, scale = _digits(rest_sizes, 0)
    plan.offset = offset
    plan.scale = scale
    plan.first_linear = plan.first_square = 0
    if not suited:
        hole_strides, hole_powers, _ = _digits(hole_sizes, 1)
        if hole_powers[0] == 1:
            plan.first_linear = hole_strides[0] * scale
        else:
            plan.first_square = hole_strides[0] * scale
    plan.first_rest = [0, 0, 0]
    plan.second_rest = [0, 0]
    plan.first_rest[<int> powers[0] - 1] = strides[0]
    plan.second_rest[<int> powers[1] - 1] = strides[1]


def _fill_hands(num_board):
    """Fill the plans of hands and return how many hands there are up to suits."""
    cdef int nb = num_board
    offset = 0
    # The same shape is met on several pairs of places; the first to come gives it its range.
    seen = set()
    # Offsuit hands first: without a board 0..90 are 22, 32o, 33, 42o .. AA, then 91..168 suited.
    for num_hole_suits in (2, 1):
        for sizes in _partitions(num_board):
            for places in combinations(range(4), num_hole_suits):
                hole_sizes = tuple(sizes[place] for place in places)
                rest_sizes = tuple(sizes[place] for place in range(4) if place not in places)
                if hole_sizes + rest_sizes in seen:
                    continue
                seen.add(hole_sizes + rest_sizes)
                _, _, hole_ways = _digits(hole_sizes, 3 - num_hole_suits)
                _, _, rest_ways = _digits(rest_sizes, 0)
                _fill_shape(
                    &SHAPES[nb][NUM_SHAPES[nb]],
                    offset, rest_ways, hole_sizes + rest_sizes, num_hole_suits,
                )
                NUM_SHAPES[nb] += 1
                _fill_plan(num_board, offset, hole_sizes, rest_sizes)
                offset += hole_ways * rest_ways
        seen.clear()
    return offset


_fill_cards()
NUM_BOARDS = {num_board: _fill_boards(num_board) for num_board in (0, 3, 4, 5)}
NUM_HANDS = {num_board: _fill_hands(num_board) for num_board in (0, 3, 4, 5)}
