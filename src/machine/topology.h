/* topology.h - which CPUs this process may use, how they lie to each other, and in which order to take them. */
#ifndef PVT_TOPOLOGY_H
#define PVT_TOPOLOGY_H

/* Where one CPU lies. Equal numbers mean shared; -1 = not known. `kind` is higher for faster cores (big.LITTLE,
 * hybrid). */
struct pvt_topology_place {
  int cpu;
  int core;
  int l2;
  int l3;
  int package;
  int kind;
};

/* CPUs that the calling thread may use (affinity and cpuset), in the order to take them: one CPU of every core before
 * any SMT sibling, the fullest package and L3 first, so that the first two share an L3, else a package, whenever two
 * cores do. At most `max`; *ret_count: how many were stored, at least 1. 0, or -errno. Loads hwloc: milliseconds. */
int pvt_topology_cpus(int *ret_cpus, unsigned max, unsigned *ret_count);

/* How two CPUs lie: "same_cpu", "same_core" (SMT siblings), "same_l2", "same_l3", "same_package", "other_package", or
 * "unknown". Static text. Loads hwloc: milliseconds, so not inside a measurement. */
const char *pvt_topology_relation(int a, int b);

/* The three steps of the above, apart, for callers with many pairs and for machines that are not here. Places are in
 * ascending order of cpu, at most `max`. */
int pvt_topology_places(struct pvt_topology_place *ret_places, unsigned max, unsigned *ret_count);
int pvt_topology_order(struct pvt_topology_place *places, unsigned count); /* -ENOMEM leaves the order as it was */
const char *pvt_topology_relation_of(const struct pvt_topology_place *a, const struct pvt_topology_place *b);

#endif
