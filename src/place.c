#include "place.h"

#include <errno.h>
#include <sched.h>

const char *pvt_place_name(enum pvt_placement placement) {
  static const char *const names[PVT_PLACEMENTS] = {
      [PVT_SAME_CPU] = "same_cpu", [PVT_CROSS_CPU] = "cross_cpu", [PVT_SPREAD] = "spread", [PVT_FREE] = "free"};

  return names[placement];
}

int pvt_place_cpus(enum pvt_placement placement, const struct pvt_request *request, int cpus[PVT_CPUS_MAX]) {
  uint32_t wanted = placement == PVT_SAME_CPU ? 1 : placement == PVT_CROSS_CPU ? 2 : request->cpus_count;

  if (placement == PVT_FREE)
    return 0;
  if (wanted == 0 || request->cpus_count < wanted || request->cpus_count > PVT_CPUS_MAX)
    return -ENODEV;
  for (uint32_t i = 0; i < wanted; i++)
    cpus[i] = request->cpus[i];
  return (int)wanted;
}

int pvt_place_self(enum pvt_placement placement, const struct pvt_request *request, unsigned nth) {
  int cpus[PVT_CPUS_MAX], count = pvt_place_cpus(placement, request, cpus);
  cpu_set_t set;

  if (count < 0)
    return count;
  CPU_ZERO(&set);
  if (placement != PVT_FREE)
    CPU_SET((unsigned)cpus[nth % (unsigned)count], &set);
  else
    for (uint32_t i = 0; i < request->cpus_count; i++)
      CPU_SET((unsigned)request->cpus[i], &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}
