/* place.h - where a row's workers run: placement is a factor, never an accident. */
#ifndef PVT_PLACE_H
#define PVT_PLACE_H

#include "wire.h"

enum pvt_placement { PVT_SAME_CPU, PVT_CROSS_CPU, PVT_SPREAD, PVT_FREE, PVT_PLACEMENTS };
const char *pvt_place_name(enum pvt_placement placement);

/* Fills the list for pvt_crew_spec: same_cpu one CPU, cross_cpu two, spread all, free none. Returns its length;
 * -ENODEV if the request offers too few CPUs. */
int pvt_place_cpus(enum pvt_placement placement, const struct pvt_request *request, int cpus[PVT_CPUS_MAX]);
/* Puts the calling thread where the nth worker would be; free: on every CPU of the request. Returns 0 or -errno. */
int pvt_place_self(enum pvt_placement placement, const struct pvt_request *request, unsigned nth);

#endif
