# forest.gp: ratios with their intervals, one row each. The script that loads it sets band_low, band_high, band_title,
# title_of_x, state_color(s), state_point(s) and state_title(s).
set object 1 rectangle from band_low, graph 0 to band_high, graph 1 fillcolor rgb '#e4e4e4' fillstyle solid noborder behind
set arrow 1 from 1, graph 0 to 1, graph 1 nohead linewidth 1 linecolor rgb '#222222' back
eval x_title(title_of_x)
do for [s in states] { eval key_add(state_title(s), state_point(s), state_color(s)) }
eval key_add(band_title, 5, 0xcccccc)

plot data skip 2 using 4:0:($5 - $4):(0) with vectors nohead linewidth 1.6 linecolor rgb '#444444', \
     '' skip 2 using 3:0:(mark):(state_point(strcol(6))):(state_color(strcol(6))):ytic(2) \
        with points pointsize variable pointtype variable linecolor rgb variable, \
     '' skip 2 using (xmax):0:8 with labels left offset 1, 0 textcolor rgb '#222222'
