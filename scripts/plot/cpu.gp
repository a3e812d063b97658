# cpu.gp: time that passes and CPU time that is used, per operation.
eval x_title('time of one operation')
eval key_add('time that passes', 7, blue)
eval key_add('CPU time, of all workers together', 8, vermillion)

plot data skip 2 using 3:0:($4 - $3):(0) with vectors nohead linewidth 1.2 linecolor rgb '#999999', \
     '' skip 2 using 3:0:ytic(2) with points pointsize mark pointtype 7 linecolor rgb blue, \
     '' skip 2 using 4:0 with points pointsize 1.2 * mark pointtype 8 linecolor rgb vermillion linewidth 1.5, \
     '' skip 2 using (xmax):0:7 with labels left offset 1, 0 textcolor rgb '#222222'
