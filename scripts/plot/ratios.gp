# ratios.gp: what the models cost compared with threads.
band_low = 1 / 1.03; band_high = 1.03; band_title = 'equal: within 3 %'
title_of_x = 'cost of the first / cost of the second (right of 1: the first costs more)'
load plots.'/verdicts.gp'
load plots.'/forest.gp'
