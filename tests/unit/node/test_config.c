/* SPDX-License-Identifier: BSD-2-Clause */
/* The dataplane's reading of its configuration: CPUs, devices, EAL arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "node/config.h"
#include "core/port.h"

static void cpu_lists(void **state)
{
    (void)state;
    uint16_t cpu[HG_CORES_MAX];
    char error[256];

    assert_int_equal(cpu_list_parse("2-5,8", cpu, HG_CORES_MAX, error), 5);
    assert_int_equal(cpu[0], 2);
    assert_int_equal(cpu[3], 5);
    assert_int_equal(cpu[4], 8);
    assert_int_equal(cpu_list_parse("7, 1 ,1", cpu, HG_CORES_MAX, error), 3);
    assert_int_equal(cpu[0], 7);
    assert_int_equal(cpu_list_parse("0-63", cpu, HG_CORES_MAX, error), 64);
    static const char *const bad[] = {
        "", ",", "1,", "a", "1-", "5-2", "1;2", "0-64", "1024", "99999999999999999999", "-1"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        error[0] = '\0';
        assert_int_equal(cpu_list_parse(bad[i], cpu, HG_CORES_MAX, error), 0);
        assert_non_null(strstr(error, "dataplane.cores"));
    }
}

static void devices(void **state)
{
    (void)state;
    char name[64];

    assert_true(port_is_pci("0000:3b:00.0"));
    assert_true(port_is_pci("3b:00.0"));
    assert_true(port_is_pci("0000:3b:00.1,representor=0"));
    assert_false(port_is_pci("net_af_packet0,iface=veth0"));
    assert_false(port_is_pci("net_tap0"));
    assert_false(port_is_pci(""));
    port_device_name("net_af_xdp0,iface=eth1", name, sizeof(name));
    assert_string_equal(name, "net_af_xdp0");
}

static bool has(const struct eal_args *a, const char *arg)
{
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->v[i], arg) == 0)
            return true;
    return false;
}

static struct hg_config *config_of(const char *device, const char *extra)
{
    struct hg_config *config = hg_config_defaults();

    assert_non_null(config);
    config->ports = calloc(1, sizeof(*config->ports));
    config->nports = 1;
    snprintf(config->ports[0].device, sizeof(config->ports[0].device), "%s", device);
    snprintf(config->dp_eal_args, sizeof(config->dp_eal_args), "%s", extra);
    config->dp_hugepages = 2; /* off */
    return config;
}

static uint16_t my_cpu(void)
{
    cpu_set_t set;
    uint16_t cpu = 0;

    sched_getaffinity(0, sizeof(set), &set);
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    return cpu;
}

static void eal_arguments(void **state)
{
    (void)state;
    static struct eal_args a;
    uint16_t cpu[2] = {my_cpu(), my_cpu()};
    char lcore[64];

    struct hg_config *config = config_of("net_tap0,iface=hg0", " --log-level=pmd:8  --proc-type=primary ");
    assert_true(eal_args_build(&a, config, cpu, 2, stderr));
    assert_true(has(&a, "--vdev=net_tap0,iface=hg0"));
    assert_true(has(&a, "--no-pci"));
    assert_true(has(&a, "--no-huge"));
    assert_true(has(&a, "--file-prefix=hg-node1"));
    assert_true(has(&a, "--log-level=pmd:8"));
    assert_true(has(&a, "--proc-type=primary"));
    snprintf(lcore, sizeof(lcore), ",1@%u,2@%u", cpu[0], cpu[1]);
    assert_non_null(strstr(a.v[1], lcore));
    assert_null(a.v[a.n]);
    hg_config_free(config);

    config = config_of("0000:3b:00.0", "");
    assert_true(eal_args_build(&a, config, cpu, 1, stderr));
    assert_true(has(&a, "-a") && has(&a, "0000:3b:00.0"));
    assert_false(has(&a, "--no-pci"));
    hg_config_free(config);
}

static void what_cannot_be_is_said(void **state)
{
    (void)state;
    static struct eal_args a;
    uint16_t cpu[1] = {1000};
    char text[512] = "";
    struct hg_config *config = config_of("net_tap0", "");

    FILE *errors = fmemopen(text, sizeof(text), "w");
    assert_false(eal_args_build(&a, config, cpu, 1, errors));
    fflush(errors);
    assert_non_null(strstr(text, "CPU 1000"));
    rewind(errors);
    cpu[0] = my_cpu();
    config->dp_hugepages = 1; /* on, and far more than any machine has */
    config->dp_memory_mb = 1 << 30;
    assert_false(eal_args_build(&a, config, cpu, 1, errors));
    fflush(errors);
    assert_non_null(strstr(text, "deploy/hugepages.sh"));
    fclose(errors);
    hg_config_free(config);
}

/* A core list beyond the machine is refused, with the line of the file that says so. */
static void cores_that_are_not_there(void **state)
{
    static const char file[] = "node: { name = \"a\"; };\ndataplane: {\n  cores = \"0,1000\"; };\n";
    static struct eal_args a;
    char text[512] = "", error[256];
    uint16_t cpu[HG_CORES_MAX];
    (void)state;
    struct hg_config *config = hg_config_parse(file, strlen(file), "node.cfg", stderr);
    FILE *errors = fmemopen(text, sizeof(text), "w");
    assert_non_null(config);
    unsigned n = cpu_list_parse(config->dp_cores, cpu, HG_CORES_MAX, error);
    assert_int_equal(n, 2);
    assert_false(eal_args_build(&a, config, cpu + 1, n - 1, errors));
    fclose(errors);
    assert_non_null(strstr(text, "node.cfg:3: dataplane.cores: CPU 1000 is not there: this machine has "));
    hg_config_free(config);
}

/* A killed dataplane leaves its memif socket: gone when nobody answers, kept when somebody does. */
static void stale_sockets_are_removed(void **state)
{
    (void)state;
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    char device[200];

    snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/test-stale-%d.sock", (int)getpid());
    snprintf(device, sizeof(device), "net_memif0,role=server,socket=%s,socket-abstract=no", sa.sun_path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 5), 0);
    port_clean_stale(device);
    assert_int_equal(access(sa.sun_path, F_OK), 0);
    close(fd);
    port_clean_stale("net_memif0,role=client,socket=/tmp/whatever,socket-abstract=no");
    port_clean_stale(device);
    assert_int_not_equal(access(sa.sun_path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_lists),
        cmocka_unit_test(cores_that_are_not_there),
        cmocka_unit_test(devices),
        cmocka_unit_test(eal_arguments),
        cmocka_unit_test(what_cannot_be_is_said),
        cmocka_unit_test(stale_sockets_are_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
