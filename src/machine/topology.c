/* topology.c - which CPUs this process may use, how they lie to each other, and in which order to take them. */
#include "topology.h"
#include "machine.h"

#include <errno.h>
#include <hwloc.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
  CPUS_MAX = 16384,
  KINDS_MAX = 3, /* more kinds than this are the clock bins of single cores, not designs of cores */
};

static int nth_ancestor(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t cpu) {
  hwloc_obj_t found = hwloc_get_ancestor_obj_by_type(topology, type, cpu);
  return found != NULL ? (int)found->logical_index : -1;
}

static struct pvt_topology_place place_of(hwloc_topology_t topology, int cpu) {
  hwloc_obj_t found = hwloc_get_pu_obj_by_os_index(topology, (unsigned)cpu);
  if (found == NULL)
    return (struct pvt_topology_place){.cpu = cpu, .core = -1, .l2 = -1, .l3 = -1, .package = -1, .kind = 0};
  struct pvt_topology_place place = {
      .cpu = cpu,
      .core = nth_ancestor(topology, HWLOC_OBJ_CORE, found),
      .l2 = nth_ancestor(topology, HWLOC_OBJ_L2CACHE, found),
      .l3 = nth_ancestor(topology, HWLOC_OBJ_L3CACHE, found),
      .package = nth_ancestor(topology, HWLOC_OBJ_PACKAGE, found),
  };
  if (place.package < 0)
    place.package = 0; /* boards that name no package have one */
  int kinds = hwloc_cpukinds_get_nr(topology, 0);
  int kind = kinds > 1 && kinds <= KINDS_MAX ? hwloc_cpukinds_get_by_cpuset(topology, found->cpuset, 0) : 0;
  place.kind = kind > 0 ? kind : 0;
  return place;
}

static int load(hwloc_topology_t *ret_topology) {
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) < 0)
    return -ENOMEM;
  /* Affinity says what is allowed; and never move the calling thread about to look at a CPU. */
  hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED | HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING);
  errno = 0;
  if (hwloc_topology_load(topology) < 0) {
    int rc = errno != 0 ? -errno : -EIO;
    hwloc_topology_destroy(topology);
    return rc;
  }
  *ret_topology = topology;
  return 0;
}

int pvt_topology_places(struct pvt_topology_place *ret_places, unsigned max, unsigned *ret_count) {
  hwloc_topology_t topology = NULL;
  int *cpus = malloc(CPUS_MAX * sizeof *cpus);
  unsigned count;
  if (cpus == NULL)
    return -ENOMEM;
  int rc = pvt_machine_allowed(cpus, max < CPUS_MAX ? max : CPUS_MAX, &count);
  if (rc == 0)
    rc = load(&topology);
  if (rc < 0)
    goto out;
  for (unsigned i = 0; i < count; i++)
    ret_places[i] = place_of(topology, cpus[i]);
  *ret_count = count;
  hwloc_topology_destroy(topology);
out:
  free(cpus);
  return rc;
}

/* What the order is made of: the smaller comes first. */
struct ranked {
  struct pvt_topology_place place;
  int nth_sibling;   /* 0 for the first CPU of each core */
  int package_cores; /* cores of ours in the same package */
  int l3_cores;
};

static bool is_shared(int a, int b) {
  return a >= 0 && a == b;
}

static int compare(const void *left, const void *right) {
  const struct ranked *a = left, *b = right;
  const int pairs[][2] = {
      {a->nth_sibling, b->nth_sibling}, {b->package_cores, a->package_cores}, {a->place.package, b->place.package},
      {b->place.kind, a->place.kind},   {b->l3_cores, a->l3_cores},           {a->place.l3, b->place.l3},
      {a->place.cpu, b->place.cpu},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    if (pairs[i][0] != pairs[i][1])
      return pairs[i][0] < pairs[i][1] ? -1 : 1;
  }
  return 0;
}

int pvt_topology_order(struct pvt_topology_place *places, unsigned count) {
  struct ranked *ranked = calloc(count > 0 ? count : 1, sizeof *ranked);
  if (ranked == NULL)
    return -ENOMEM;
  for (unsigned i = 0; i < count; i++) {
    ranked[i].place = places[i];
    for (unsigned j = 0; j < count; j++) {
      if (places[j].cpu < places[i].cpu && is_shared(places[j].core, places[i].core))
        ranked[i].nth_sibling++;
    }
  }
  for (unsigned i = 0; i < count; i++) {
    for (unsigned j = 0; j < count; j++) {
      bool is_core = ranked[j].nth_sibling == 0;
      ranked[i].package_cores += is_core && is_shared(places[j].package, places[i].package);
      ranked[i].l3_cores += is_core && is_shared(places[j].l3, places[i].l3) && places[j].kind == places[i].kind;
    }
  }
  qsort(ranked, count, sizeof *ranked, compare);
  for (unsigned i = 0; i < count; i++)
    places[i] = ranked[i].place;
  free(ranked);
  return 0;
}

int pvt_topology_cpus(int *ret_cpus, unsigned max, unsigned *ret_count) {
  struct pvt_topology_place *places = malloc(CPUS_MAX * sizeof *places);
  unsigned count;
  if (places == NULL)
    return -ENOMEM;
  int rc = pvt_topology_places(places, CPUS_MAX, &count);
  if (rc == 0)
    rc = pvt_topology_order(places, count);
  if (rc == 0) {
    *ret_count = count < max ? count : max;
    for (unsigned i = 0; i < *ret_count; i++)
      ret_cpus[i] = places[i].cpu;
  }
  free(places);
  return rc;
}

const char *pvt_topology_relation_of(const struct pvt_topology_place *a, const struct pvt_topology_place *b) {
  if (a->cpu == b->cpu)
    return "same_cpu";
  if (a->package < 0 || b->package < 0)
    return "unknown";
  if (a->package != b->package)
    return "other_package";
  if (is_shared(a->core, b->core))
    return "same_core";
  if (is_shared(a->l2, b->l2))
    return "same_l2";
  return is_shared(a->l3, b->l3) ? "same_l3" : "same_package";
}

const char *pvt_topology_relation(int a, int b) {
  hwloc_topology_t topology = NULL;
  if (a < 0 || b < 0 || load(&topology) < 0)
    return "unknown";
  struct pvt_topology_place place_a = place_of(topology, a), place_b = place_of(topology, b);
  hwloc_topology_destroy(topology);
  return pvt_topology_relation_of(&place_a, &place_b);
}
