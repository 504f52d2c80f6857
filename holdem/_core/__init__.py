"""The compiled core: primitives, and the kernels that stand on them."""
