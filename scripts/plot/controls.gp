# controls.gp: what must come out at 1: null checks, and rows measured twice.
band_low = 0.95; band_high = 1.05; band_title = 'a null check must reach into 0.95 to 1.05'
title_of_x = 'ratio of two things that cost the same'
state_color(s) = s eq 'holds' ? green : s eq 'fails' ? vermillion : grey
state_point(s) = s eq 'holds' ? 13 : s eq 'fails' ? 11 : 6
state_title(s) = s eq 'holds' ? 'reaches the band' : s eq 'fails' ? 'lies outside' : 'no interval'
load plots.'/forest.gp'
