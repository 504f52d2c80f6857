# k-means and k-medians over short vectors of whole numbers. A kernel: nobody cimports it.
#
# Points and centres are int16, 0 or more. All arithmetic is on integers, so the
# same input gives the same labels on every processor and for every split of the
# points among threads.
