/* virtual.c - whether this machine is a guest, of which hypervisor, and whether we sit in a container. */
#include "parts.h"

#include <string.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

struct known {
  const char *sign, *name;
};

static const char *look_up(const struct known *table, size_t count, const char *text) {
  for (size_t i = 0; i < count; i++) {
    if (strncmp(text, table[i].sign, strlen(table[i].sign)) == 0)
      return table[i].name;
  }
  return NULL;
}

#if defined(__x86_64__) || defined(__i386__)
/* The signature in the first hypervisor leaf; meaningful only when the hypervisor bit is set. */
static bool ask_cpuid(char ret_signature[13]) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (1u << 31)) == 0)
    return false;
  __cpuid(0x40000000, a, b, c, d);
  memcpy(ret_signature, &b, 4);
  memcpy(ret_signature + 4, &c, 4);
  memcpy(ret_signature + 8, &d, 4);
  ret_signature[12] = '\0';
  return true;
}
#else
static bool ask_cpuid(char ret_signature[13]) {
  (void)ret_signature;
  return false;
}
#endif

static const char *from_cpuid(const char *root) {
  static const struct known signatures[] = {
      {"KVMKVMKVM", "KVM"},           {"Linux KVM Hv", "KVM"},     {"Microsoft Hv", "Hyper-V"},
      {"VMwareVMware", "VMware"},     {"XenVMMXenVMM", "Xen"},     {"TCGTCGTCGTCG", "QEMU TCG"},
      {"VBoxVBoxVBox", "VirtualBox"}, {"bhyve bhyve", "bhyve"},    {"ACRNACRNACRN", "ACRN"},
      {" lrpepyh vr", "Parallels"},   {"prl hyperv", "Parallels"},
  };
  char signature[13];
  if (*root != '\0' || !ask_cpuid(signature))
    return NULL;
  return look_up(signatures, sizeof signatures / sizeof *signatures, signature);
}

static const char *from_firmware(const char *vendor, const char *product) {
  static const struct known products[] = {
      {"KVM", "KVM"},          {"VMware", "VMware"},           {"VirtualBox", "VirtualBox"},
      {"HVM domU", "Xen"},     {"Virtual Machine", "Hyper-V"}, {"Google Compute Engine", "KVM"},
      {"Standard PC", "QEMU"}, {"OpenStack", "KVM"},
  };
  static const struct known vendors[] = {{"QEMU", "QEMU"},           {"Xen", "Xen"},     {"innotek", "VirtualBox"},
                                         {"Parallels", "Parallels"}, {"bochs", "Bochs"}, {"Bochs", "Bochs"}};
  if (strncmp(vendor, "Amazon EC2", 10) == 0)
    return strstr(product, ".metal") != NULL ? NULL : "KVM";
  const char *found = look_up(products, sizeof products / sizeof *products, product);
  return found != NULL ? found : look_up(vendors, sizeof vendors / sizeof *vendors, vendor);
}

/* arm64 has neither CPUID nor a cpuinfo flag; its device tree may say. *ret_is_settled: there is one to ask. */
static const char *from_device_tree(const char *root, bool *ret_is_settled) {
  char text[64];
  *ret_is_settled = true;
  if (pvt_machine_slurp(root, "/proc/device-tree/hypervisor/compatible", text, sizeof text) > 0)
    return strncmp(text, "linux,kvm", 9) == 0 ? "KVM" : strncmp(text, "xen,", 4) == 0 ? "Xen" : "other";
  *ret_is_settled = pvt_machine_slurp(root, "/proc/device-tree/compatible", text, sizeof text) > 0;
  return *ret_is_settled && strncmp(text, "linux,dummy-virt", 16) == 0 ? "QEMU" : NULL;
}

static const char *container(const char *root) {
  if (pvt_machine_exists(root, "/.dockerenv"))
    return "docker";
  if (pvt_machine_exists(root, "/run/.containerenv"))
    return "podman";
  char text[PVT_MACHINE_FILE_BYTES];
  if (pvt_machine_slurp(root, "/run/systemd/container", text, sizeof text) > 0)
    return strncmp(text, "lxc", 3) == 0 ? "lxc" : strncmp(text, "systemd-nspawn", 14) == 0 ? "systemd-nspawn" : "other";
  if (pvt_machine_slurp(root, "/proc/1/cgroup", text, sizeof text) < 0)
    return "unknown";
  if (strstr(text, "kubepods") != NULL)
    return "kubernetes";
  return strstr(text, "/docker") != NULL ? "docker" : strstr(text, "/lxc") != NULL ? "lxc" : "none";
}

json_t *pvt_machine_virtualisation_section(const char *root) {
  char cpuinfo[PVT_MACHINE_FILE_BYTES], flags[PVT_MACHINE_FILE_BYTES];
  bool has_cpuinfo = pvt_machine_slurp(root, "/proc/cpuinfo", cpuinfo, sizeof cpuinfo) > 0;
  bool has_flags = has_cpuinfo && pvt_machine_field(cpuinfo, "flags", flags, sizeof flags) == 0;
  bool has_bit = has_flags && pvt_machine_has_word(flags, ' ', "hypervisor");
  json_t *vendor = pvt_machine_file(root, "/sys/class/dmi/id/sys_vendor", "/sys/class");
  json_t *product = pvt_machine_file(root, "/sys/class/dmi/id/product_name", "/sys/class");
  const char *name = from_cpuid(root);
  char xen[64];
  if (name == NULL && pvt_machine_slurp(root, "/sys/hypervisor/type", xen, sizeof xen) > 0)
    name = strncmp(xen, "xen", 3) == 0 ? "Xen" : "other";
  bool has_firmware = vendor != NULL && product != NULL && strcmp(json_string_value(product), "unknown") != 0 &&
                      strcmp(json_string_value(product), "none") != 0;
  if (name == NULL && has_firmware)
    name = from_firmware(json_string_value(vendor), json_string_value(product));
  bool has_tree = false;
  if (name == NULL && !has_flags)
    name = from_device_tree(root, &has_tree);
  json_t *section = json_object();
  /* The x86 flag settles it both ways; elsewhere firmware or device tree do, and without them nobody knows. */
  bool is_settled = has_flags || name != NULL || has_firmware || has_tree;
  bool is_guest = has_bit || (name != NULL && !has_flags);
  pvt_machine_put(&section, "guest", is_settled ? json_boolean(is_guest) : json_string("unknown"));
  pvt_machine_put(&section, "hypervisor",
                  json_string(is_settled && !is_guest ? "none"
                              : name != NULL          ? name
                                                      : "unknown"));
  pvt_machine_put(&section, "sys_vendor", vendor);
  pvt_machine_put(&section, "product_name", product);
  pvt_machine_put(&section, "container", json_string(container(root)));
  return section;
}
