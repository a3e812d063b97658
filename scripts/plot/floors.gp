# floors.gp: how far above the thinnest code that does the same thing.
band_low = 1 / 1.03; band_high = 1.03; band_title = 'at the floor: within 3 %'
title_of_x = 'cost / cost of its floor'
load plots.'/verdicts.gp'
load plots.'/forest.gp'
