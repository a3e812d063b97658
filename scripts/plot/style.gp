# style.gp: what all charts have in common. pvt sets, before this file: kind ('svg' or 'png'), plots (this folder), name,
# title1, title2, common, left_out, states (words that the data has), n (rows), row_px, label_px, shown_chars, xmin, xmax, xticks.
# All text is taken as it is.
set encoding utf8

# Pixels. The canvas grows with the rows; names stand left of the plot, numbers right of it.
two_lines = title2 eq '' ? 0 : 1
has_common = common.left_out eq '' ? 0 : 1
top_px = 44 + 20 * two_lines + 18 * has_common
key_px = 92
shown_px = 24 + 7.4 * shown_chars
width = label_px + 460 + shown_px
width = width < 900 ? 900 : width
height = top_px + n * row_px + key_px

if (kind eq 'svg') {
  set terminal svg size width, height fixed font 'sans-serif,13' background rgb 'white' noenhanced
} else {
  set terminal pngcairo size 2 * width, 2 * height font 'sans-serif,10' fontscale 2 linewidth 2 pointscale 2 \
      background rgb 'white' noenhanced
}
set output name.'.'.kind

set lmargin at screen 1.0 * label_px / width
set rmargin at screen 1 - 1.0 * shown_px / width
set tmargin at screen 1 - 1.0 * top_px / height
set bmargin at screen 1.0 * key_px / height

# The title is a sentence, flush left; below it, smaller, what all rows share. The svg terminal writes a font's name as
# it is between quotes and knows no bold but in enhanced text, which stays off: so the name brings its weight along.
title_font = kind eq 'svg' ? 'sans-serif" font-weight="bold,15' : 'sans-serif:Bold,11.5'
set label 101 title1 at screen 12.0 / width, screen 1 - 20.0 / height left front font title_font
if (two_lines) {
  set label 102 title2 at screen 12.0 / width, screen 1 - 40.0 / height left front font title_font
}
if (has_common) {
  set label 103 (common eq '' ? '' : 'all: '.common).(left_out eq '' ? '' : '   '.left_out) \
      at screen 12.0 / width, screen 1 - (38.0 + 20 * two_lines) / height left front textcolor rgb '#555555'
}

set border 1 linewidth 0.8 linecolor rgb '#555555'
set grid xtics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set grid ytics linetype 1 linewidth 0.5 linecolor rgb '#eeeeee'
set logscale x
set xrange [xmin:xmax]
eval 'set xtics ('.xticks.') nomirror out scale 0.6 textcolor rgb "#222222"'
set ytics nomirror scale 0 textcolor rgb '#222222'
set yrange [n - 0.5:-0.5]
unset key
set datafile separator tab
set datafile missing '-'
set datafile commentschars '#'
data = name.'.tsv'

# Okabe and Ito: told apart by the colour-blind, of different lightness in grey; and no two marks share a shape.
vermillion = 0xd55e00; blue = 0x0072b2; green = 0x009e73; orange = 0xe69f00; purple = 0xcc79a7; sky = 0x56b4e9
grey = 0x777777; black = 0x000000

mark = kind eq 'svg' ? 0.75 : 1 # the svg terminal draws larger marks

# Filled shapes: 5 square, 7 circle, 9 triangle, 11 triangle down, 13 diamond, 15 pentagon; one less is the hollow one.
model_color(m) = m eq 'process' ? vermillion : m eq 'thread' ? blue : m eq 'hybrid' ? green : \
    m eq 'event_loop' ? purple : m eq 'event_loop_uring' ? orange : black
model_point(m) = m eq 'process' ? 7 : m eq 'thread' ? 5 : m eq 'hybrid' ? 9 : m eq 'event_loop' ? 13 : \
    m eq 'event_loop_uring' ? 11 : 15

# The key: one line at the bottom, over the whole width. Each script adds what its marks mean.
key_x = label_px < 160 ? label_px : 24
key_add(text, point, color) = sprintf("set label %d '%s' at screen %f, screen %f left offset 1.2,%f point pointtype %d ".\
    "pointsize %f linecolor rgb %d front; key_nth = key_nth + 1; key_x = key_x + %d", key_nth, text, \
    1.0 * key_x / width, 18.0 / height, kind eq 'svg' ? -0.25 : 0, point, mark, color, 46 + 7.2 * strlen(text))
key_nth = 200
x_title(text) = sprintf("set label 104 '%s' at graph 0.5, screen %f center textcolor rgb '#222222'", text, 48.0 / height)
