# verdicts.gp: a colour and a shape for each verdict.
state_color(s) = s eq 'higher' ? vermillion : s eq 'lower' ? blue : s eq 'equal' ? green : s eq 'invalid' ? black : grey
state_point(s) = s eq 'higher' ? 7 : s eq 'lower' ? 5 : s eq 'equal' ? 13 : s eq 'invalid' ? 2 : 6
state_title(s) = s eq 'higher' ? 'costs more' : s eq 'lower' ? 'costs less' : s eq 'equal' ? 'equal' : \
    s eq 'invalid' ? 'run invalid' : 'not resolved'
