/** Who else is known to put programs on the hooks of sockets' addresses. */
export interface KnownAgent {
  readonly name: string;
  /** Sends calls of service addresses to endpoints itself. */
  readonly balances: boolean;
}

interface Mark {
  readonly program: RegExp;
  readonly agent: KnownAgent;
}

/** By the names of their programs, of which the kernel keeps 15 bytes. */
const marks: readonly Mark[] = [
  // bpf/bpf_sock.c: cil_sock4_connect, cil_sock6_sendmsg, …; without "cil_" before Cilium 1.12
  { program: /^(cil_)?sock[46]_/, agent: { name: "Cilium", balances: true } },
  { program: /^cil_/, agent: { name: "Cilium", balances: false } },
  // felix/bpf-gpl/connect_balancer*.c: calico_connect_v4, calico_sendmsg_v46, …; cali_ctlb_v4 in older ones
  { program: /^(calico_(connect|sendmsg|recvmsg)_|cali_ctlb_)/, agent: { name: "Calico", balances: true } },
  { program: /^cali(co)?_/, agent: { name: "Calico", balances: false } },
  // bpf/kmesh: cgroup_connect4_prog
  { program: /^cgroup_connect[46]/, agent: { name: "Kmesh", balances: true } },
  // bpf/mb_connect.c: mb_sock4_connect
  { program: /^mb_/, agent: { name: "Merbridge", balances: true } },
  // systemd's src/core/bpf-*: sd_fw_egress, sd_bind4, sd_restrictif_e
  { program: /^sd_/, agent: { name: "systemd", balances: false } },
  { program: /^keelson_/, agent: { name: "another Keelson", balances: true } },
];

/** @param program the name that the kernel tells */
export const knownAgent = (program: string): KnownAgent | undefined =>
  marks.find((mark) => mark.program.test(program))?.agent;
