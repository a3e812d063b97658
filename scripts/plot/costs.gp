# costs.gp: what each row costs, with its interval; floors are hollow.
model_title(m) = m eq 'event_loop' ? 'event loop' : m eq 'event_loop_uring' ? 'event loop, io uring' : m
eval x_title('time of one operation')
do for [m in states] { eval key_add(model_title(m), model_point(m), model_color(m)) }
eval key_add('hollow: a floor', 6, grey)

plot data skip 2 using 4:0:($5 - $4):(0) with vectors nohead linewidth 1.6 linecolor rgb '#444444', \
     '' skip 2 using 3:0:(mark):(model_point(strcol(6)) - (strcol(8) eq 'floor' ? 1 : 0)):(model_color(strcol(6))):ytic(2) \
        with points pointsize variable pointtype variable linecolor rgb variable, \
     '' skip 2 using (xmax):0:9 with labels left offset 1, 0 textcolor rgb '#222222'
