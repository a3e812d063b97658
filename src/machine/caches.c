/* caches.c - the caches and NUMA nodes, as hwloc sees them. */
#include "parts.h"

#include <hwloc.h>

static const char *type_of(hwloc_obj_cache_type_t type) {
  switch (type) {
  case HWLOC_OBJ_CACHE_DATA:
    return "data";
  case HWLOC_OBJ_CACHE_INSTRUCTION:
    return "instruction";
  default:
    return "unified";
  }
}

/* Equal caches are one entry with a count. */
static void add(json_t **caches, hwloc_obj_t cache) {
  json_t *entry = json_object(), *other;
  pvt_machine_put(&entry, "level", json_integer(cache->attr->cache.depth));
  pvt_machine_put(&entry, "type", json_string(type_of(cache->attr->cache.type)));
  pvt_machine_put(&entry, "size_bytes", json_integer((json_int_t)cache->attr->cache.size));
  pvt_machine_put(&entry, "line_bytes", json_integer(cache->attr->cache.linesize));
  pvt_machine_put(&entry, "shared_by_cpus", json_integer(hwloc_bitmap_weight(cache->cpuset)));
  size_t nth;
  json_array_foreach (*caches, nth, other) {
    json_int_t count = json_integer_value(json_object_get(other, "count"));
    pvt_machine_put(&entry, "count", json_integer(count));
    if (json_equal(entry, other)) {
      json_integer_set(json_object_get(other, "count"), count + 1);
      json_decref(entry);
      return;
    }
  }
  pvt_machine_put(&entry, "count", json_integer(1));
  if (json_array_append_new(*caches, entry) < 0) {
    json_decref(*caches);
    *caches = NULL;
  }
}

json_t *pvt_machine_caches_section(json_t **ret_numa_nodes) {
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) < 0)
    goto unknown;
  /* Never move the calling thread about to look at a CPU. */
  hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED | HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING);
  hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL);
  if (hwloc_topology_load(topology) < 0) {
    hwloc_topology_destroy(topology);
    goto unknown;
  }
  json_t *caches = json_array();
  for (int depth = 0; caches != NULL && depth < hwloc_topology_get_depth(topology); depth++) {
    if (!hwloc_obj_type_is_cache(hwloc_get_depth_type(topology, depth)))
      continue;
    hwloc_obj_t cache = NULL;
    while (caches != NULL && (cache = hwloc_get_next_obj_by_depth(topology, depth, cache)) != NULL)
      add(&caches, cache);
  }
  int nodes = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_NUMANODE);
  *ret_numa_nodes = nodes > 0 ? json_integer(nodes) : json_string("unknown");
  hwloc_topology_destroy(topology);
  return caches;
unknown:
  *ret_numa_nodes = json_string("unknown");
  return json_string("unknown");
}
