/* test_topology.c - CPUs come in the order to take them, and only those that we may use. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU_SET */
#endif
#include "machine/machine.h"
#include "machine/topology.h"

#include <criterion/criterion.h>
#include <sched.h>

TestSuite(topology, .timeout = 30);

Test(topology, gives_each_allowed_cpu_once) {
  int cpus[1024], allowed[1024];
  unsigned count = 0, allowed_count = 0;
  cr_assert_eq(pvt_topology_cpus(cpus, 1024, &count), 0);
  cr_assert_eq(pvt_machine_allowed(allowed, 1024, &allowed_count), 0);
  cr_assert_eq(count, allowed_count);
  for (unsigned i = 0; i < allowed_count; i++) {
    unsigned seen = 0;
    for (unsigned j = 0; j < count; j++)
      seen += cpus[j] == allowed[i];
    cr_assert_eq(seen, 1, "CPU %d", allowed[i]);
  }
  cr_assert_eq(pvt_topology_cpus(cpus, 1, &count), 0);
  cr_assert_eq(count, 1);
}

Test(topology, keeps_to_an_affinity_of_one) {
  int cpus[1024];
  unsigned count = 0;
  cr_assert_eq(pvt_machine_allowed(cpus, 1024, &count), 0);
  int last = cpus[count - 1];
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
  cr_assert_eq(pvt_topology_cpus(cpus, 1024, &count), 0);
  cr_assert_eq(count, 1);
  cr_assert_eq(cpus[0], last);
  cr_assert_str_eq(pvt_topology_relation(last, last), "same_cpu");
  cr_assert_str_eq(pvt_topology_relation(last, -1), "unknown");
  cr_assert_str_eq(pvt_topology_relation(last, 16000), "unknown");
}

Test(topology, takes_cores_before_siblings_and_the_fullest_package_first) {
  /* cpu core l2 l3 package kind */
  struct pvt_topology_place smt[] = {{0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0}, {2, 1, 1, 0, 0, 0}, {3, 1, 1, 0, 0, 0}};
  struct pvt_topology_place two[] = {{0, 0, 0, 0, 0, 0}, {8, 8, 8, 2, 1, 0}, {9, 9, 9, 3, 1, 0}, {10, 10, 10, 3, 1, 0}};
  struct pvt_topology_place hybrid[] = {{0, 0, 0, 0, 0, 0}, {1, 1, 0, 0, 0, 0}, {2, 2, 1, 0, 0, 1}, {3, 3, 2, 0, 0, 1}};
  struct pvt_topology_place lost[] = {{4, -1, -1, -1, -1, 0}, {5, -1, -1, -1, -1, 0}};
  const struct {
    const char *what;
    struct pvt_topology_place *places;
    unsigned count;
    int wanted[4];
    const char *first_two;
  } cases[] = {
      {"SMT", smt, 4, {0, 2, 1, 3}, "same_l3"},
      {"one CPU of one package, three of another", two, 4, {9, 10, 8, 0}, "same_l3"},
      {"slow cores first in number", hybrid, 4, {2, 3, 0, 1}, "same_l3"},
      {"unknown to hwloc", lost, 2, {4, 5}, "unknown"},
  };
  cr_assert_str_eq(pvt_topology_relation_of(&smt[0], &smt[1]), "same_core");
  cr_assert_str_eq(pvt_topology_relation_of(&hybrid[0], &hybrid[1]), "same_l2");
  cr_assert_str_eq(pvt_topology_relation_of(&two[1], &two[2]), "same_package");
  cr_assert_str_eq(pvt_topology_relation_of(&two[0], &two[2]), "other_package");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_assert_eq(pvt_topology_order(cases[i].places, cases[i].count), 0);
    for (unsigned nth = 0; nth < cases[i].count; nth++)
      cr_assert_eq(cases[i].places[nth].cpu, cases[i].wanted[nth], "%s: place %u", cases[i].what, nth);
    cr_assert_str_eq(pvt_topology_relation_of(&cases[i].places[0], &cases[i].places[1]), cases[i].first_two, "%s",
                     cases[i].what);
  }
}
