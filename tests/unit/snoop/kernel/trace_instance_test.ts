import assert from "node:assert/strict";
import { PROBES } from "../../../../lib/snoop/kernel/probes.ts";
import { type ProcessIdentity, sweep } from "../../../../lib/snoop/kernel/sweep.ts";
import {
  type ArmRequest,
  findTracefs,
  type TraceHost,
  TraceInstance,
} from "../../../../lib/snoop/kernel/trace_instance.ts";
import { codeOf } from "../../../../lib/snoop/kernel/trace_files.ts";
import { KernelUnavailable } from "../../../../lib/snoop/kernel/unavailable.ts";
import { failure, FakeTracefs } from "./fake_tracefs.ts";

interface FakePipe {
  closed: boolean;
  close(): void;
}

interface Scene {
  readonly files: FakeTracefs;
  readonly host: TraceHost<FakePipe>;
  readonly pauses: number[];
}

function scene(
  { alive = [], lockdown = null, root = true, openFails }: {
    alive?: string[];
    lockdown?: string | null;
    root?: boolean;
    openFails?: string;
  } = {},
): Scene {
  const files = new FakeTracefs();
  const pauses: number[] = [];
  const host: TraceHost<FakePipe> = {
    files,
    openPipe: (path) => {
      if (openFails !== undefined) return Promise.reject(failure(openFails));
      files.log.push(`open ${path.replace("/t/instances/prmig-7-100", "I")}`);
      const pipe = {
        closed: false,
        close(): void {
          this.closed = true;
          files.log.push("close I/trace_pipe");
        },
      };
      return Promise.resolve(pipe);
    },
    isAlive: ({ pid, startTime }: ProcessIdentity) => alive.includes(`${pid}-${startTime}`),
    lockdown: () => lockdown,
    isRoot: () => root,
    pause: (ms) => pauses.push(ms),
  };
  return { files, host, pauses };
}

const REQUEST: ArmRequest = {
  identity: { pid: 7, startTime: "100" },
  addresses: ["0:0:1:0", "1:0:1:0"],
  devices: [0x800000, 0x1500000],
  offsets: { bdDev: 36, fInode: 32, iRdev: 76 },
  hints: true,
  processors: 4,
};
const WHERE =
  "((host_no == 0 && channel == 0 && id == 1 && lun == 0) || (host_no == 1 && channel == 0 && id == 1 && lun == 0))";
const G = "prmig_7_100";

Deno.test("TraceInstance.arm() opens the pipe first, and sets every filter before its event is enabled", async () => {
  const { files, host } = scene();
  const instance = await TraceInstance.arm(host, "/t", REQUEST);
  const events = ["start", "done", "error", "timeout"].flatMap((event) => {
    const what = event === "done"
      ? "(opcode == 0x5f || ((result == 0x18 || result == 0x2) && opcode != 0x5e))"
      : "opcode == 0x5f";
    return [
      `write I/events/scsi/scsi_dispatch_cmd_${event}/filter ${what} && ${WHERE}`,
      `write I/events/scsi/scsi_dispatch_cmd_${event}/enable 1`,
    ];
  });
  assert.deepEqual(files.log.slice(0, 15), [
    "mkdir instances/prmig-7-100",
    "open I/trace_pipe",
    "write I/trace_clock mono",
    "write I/options/overwrite 1",
    "write I/options/record-tgid 1",
    "write I/buffer_size_kb 1024",
    "write I/tracing_on 1",
    ...events,
  ]);
  const probes = files.log.slice(15);
  const [definition, ...armed] = probes.slice(0, 3);
  assert.ok(definition!.startsWith(`write kprobe_events p:${G}/sd_ioctl sd_ioctl dev=+36($arg1):u32 cmd=$arg3:x32 `));
  assert.deepEqual(armed, [
    `write I/events/${G}/sd_ioctl/filter cmd == 0x2285 && op == 0x5f && (dev == 8388608 || dev == 22020096)`,
    `write I/events/${G}/sd_ioctl/enable 1`,
  ]);
  assert.equal(probes.length, 3 * PROBES.length);
  assert.deepEqual(instance.probes, PROBES);
  assert.deepEqual([instance.missing, instance.warnings], [[], []]);
});

Deno.test("TraceInstance.arm() leaves device conditions out where it has no offsets, and hints where none are wanted", async () => {
  const { files, host } = scene();
  await TraceInstance.arm(host, "/t", { ...REQUEST, offsets: null, hints: false });
  const log = files.log.join("\n");
  assert.ok(log.includes(`/sd_ioctl/filter cmd == 0x2285 && op == 0x5f\n`));
  assert.ok(!log.includes("dev="));
  assert.ok(!log.includes("0x18"));
  assert.ok(!log.includes(`${G}/pr_reg/filter`), "a PR ioctl is a PR OUT by itself");
});

Deno.test("TraceInstance.arm() asks for unit attentions alone where the kernel prints sense data", async () => {
  const { files, host } = scene();
  files.format += "\tfield:u8 sense_key;\tfield:u8 asc;\toffset:1";
  await TraceInstance.arm(host, "/t", REQUEST);
  const done = files.log.find((line) => line.includes("cmd_done/filter"))!;
  assert.ok(done.includes("(result == 0x18 || (result == 0x2 && asc == 0x2a))"), done);
});

Deno.test("TraceInstance.arm() filters by opcode alone when the addresses would not fit a filter", async () => {
  const { files, host } = scene();
  const addresses = Array.from({ length: 41 }, (_, i) => `0:0:${i}:0`);
  await TraceInstance.arm(host, "/t", { ...REQUEST, addresses });
  assert.ok(files.log.includes("write I/events/scsi/scsi_dispatch_cmd_start/filter opcode == 0x5f"));
});

Deno.test("TraceInstance.close() takes everything down: pipe, instance, probes, in that order, once", async () => {
  const { files, host, pauses } = scene();
  const instance = await TraceInstance.arm(host, "/t", REQUEST);
  files.probes.push("p:somebody/theirs sd_open");
  files.failures.set("rmdir instances/prmig-7-100", "EBUSY!");
  files.log.length = 0;
  instance.close();
  instance.close();
  assert.deepEqual(files.log.slice(0, 2), ["close I/trace_pipe", "rmdir instances/prmig-7-100"]);
  assert.deepEqual(files.log.slice(2), PROBES.map(({ name }) => `write kprobe_events -:${G}/${name}`));
  assert.deepEqual(pauses, [2], "a poll on another thread may hold the pipe for a moment");
  assert.deepEqual(files.probes, ["p:somebody/theirs sd_open"]);
});

Deno.test("TraceInstance.arm() goes on without probes that cannot be had, and says why", async () => {
  const { files, host } = scene();
  files.failures.set(`write kprobe_events p:${G}/sg_ioctl`, "ENOENT");
  files.failures.set(`write kprobe_events p:${G}/bsg_ioctl`, "EINVAL");
  files.failures.set(`write I/events/${G}/pr_clr/enable`, "EBUSY");
  files.failures.set("write I/options/record-tgid", "EINVAL");
  const instance = await TraceInstance.arm(host, "/t", REQUEST);
  assert.deepEqual(instance.missing.map(({ probe, code }) => `${probe.name} ${code}`), [
    "sg_ioctl ENOENT",
    "bsg_ioctl EINVAL",
    "pr_clr EBUSY",
  ]);
  assert.equal(files.probes.length, 6, "the probe that could not be enabled is deleted again");
  assert.deepEqual(instance.warnings, ["cannot set options/record-tgid to 1: EINVAL"]);
});

const REFUSALS: readonly [
  name: string,
  operation: string,
  code: string,
  Parameters<typeof scene>[0],
  RegExp,
  RegExp,
][] = [
  ["not root", "mkdir", "EACCES", { root: false }, /not permitted.*EACCES/, /^run as root$/],
  ["root in a container", "mkdir", "EPERM", {}, /not permitted.*EPERM/, /container/],
  [
    "locked down",
    "mkdir",
    "EPERM",
    { lockdown: "none integrity [confidentiality]" },
    /locked down/,
    /lockdown=integrity/,
  ],
  ["mounted read-only", "mkdir", "EROFS", {}, /read-only/, /writable/],
  [
    "no SCSI events",
    "write I/events/scsi/scsi_dispatch_cmd_start",
    "ENOENT",
    {},
    /no SCSI trace events/,
    /modprobe scsi_mod/,
  ],
  ["no memory", "write I/trace_clock", "ENOMEM", {}, /no memory/, /free memory/],
  ["something else", "write I/tracing_on", "EIO", {}, /cannot set up.*EIO/, /polling/],
];
for (const [name, operation, code, options, message, remedy] of REFUSALS) {
  Deno.test(`TraceInstance.arm() refused (${name}): says why, what to do, and leaves nothing`, async () => {
    const { files, host } = scene(options);
    files.failures.set(operation, code);
    await assert.rejects(TraceInstance.arm(host, "/t", REQUEST), (error) => {
      assert.ok(error instanceof KernelUnavailable);
      assert.match(error.message, message);
      assert.match(error.remedy, remedy);
      return true;
    });
    assert.deepEqual([[...files.directories], files.probes], [["/t", "/t/instances"], []]);
  });
}

Deno.test("TraceInstance.arm() refused because somebody else reads our pipe (EBUSY): leaves nothing", async () => {
  const { files, host } = scene({ openFails: "EBUSY" });
  await assert.rejects(TraceInstance.arm(host, "/t", REQUEST), /cannot set up.*trace_pipe: EBUSY/);
  assert.deepEqual([...files.directories], ["/t", "/t/instances"]);
});

Deno.test("sweep() removes what dead processes left, and nothing else", () => {
  const { files } = scene();
  const names = ["prmig-7-100", "prmig-8-200", "prmig-9-300", "somebody", "prmig-x", "prmig-8-200x"];
  for (const name of names) files.directories.add(`/t/instances/${name}`);
  files.probes = [
    "p:prmig_7_100/sd_ioctl sd_ioctl cmd=$arg3:x32",
    "p:prmig_8_200/sg_ioctl sg_ioctl cmd=$arg2:x32",
    "p:kprobes/prmig_8_200 sd_open",
    "p:somebody/theirs sd_open",
  ];
  files.failures.set("rmdir instances/prmig-9-300", "EBUSY"); // another pid namespace: it is being read
  const alive = ({ pid, startTime }: ProcessIdentity): boolean => pid === 7 && startTime === "100";
  assert.deepEqual(sweep(files, "/t", alive), { instances: ["prmig-8-200"], probes: ["prmig_8_200/sg_ioctl"] });
  assert.deepEqual([...files.directories].map((d) => d.slice(13)).filter((d) => d !== ""), [
    "prmig-7-100",
    "prmig-9-300",
    "somebody",
    "prmig-x",
    "prmig-8-200x",
  ]);
  assert.equal(files.probes.length, 3);
});

Deno.test("codeOf() names errors that the runtime leaves without a code", () => {
  assert.equal(codeOf(new Error("No such device (os error 19): remove '/t/instances/prmig-1-2'")), "ENODEV");
  assert.equal(codeOf(failure("EBUSY")), "EBUSY");
  assert.throws(() => codeOf(new TypeError("a defect")), TypeError);
});

Deno.test("sweep() takes what it may not see for nothing", () => {
  const { files } = scene();
  files.failures.set("list", "EACCES");
  files.failures.set("read", "EACCES");
  assert.deepEqual(sweep(files, "/t", () => false), { instances: [], probes: [] });
});

Deno.test("findTracefs() takes the first place that is mounted, and says what is missing", () => {
  const { files, host } = scene();
  assert.equal(findTracefs(host, ["/elsewhere", "/t"]), "/t");
  assert.throws(() => findTracefs(host, ["/elsewhere"]), (error) => {
    assert.ok(error instanceof KernelUnavailable);
    assert.match(error.message, /not mounted at \/elsewhere/);
    assert.equal(error.remedy, "mount -t tracefs tracefs /elsewhere");
    return true;
  });
  files.failures.set("list", "EACCES");
  assert.throws(() => findTracefs(scene({ root: false }).host, ["/elsewhere"]), /not mounted/);
  assert.throws(() => findTracefs(host, ["/t"]), /not permitted to trace the kernel/);
});

Deno.test("findTracefs() does not ask for a mount of what the kernel does not have", () => {
  const { files, host } = scene();
  files.contents.set("/proc/filesystems", "nodev\tsysfs\nnodev\ttracefs\n\text4\n");
  assert.throws(() => findTracefs(host, ["/elsewhere"]), /not mounted/);
  files.contents.set("/proc/filesystems", "nodev\tsysfs\nnodev\tnottracefs\n\text4\n");
  assert.throws(() => findTracefs(host, ["/elsewhere"]), /built without tracing/);
});

Deno.test("TraceInstance.isRecording() is false once somebody turned it off or took it away", async () => {
  const { files, host } = scene();
  const instance = await TraceInstance.arm(host, "/t", REQUEST);
  assert.equal(instance.isRecording(), true);
  files.contents.set("/t/instances/prmig-7-100/tracing_on", "0\n");
  assert.equal(instance.isRecording(), false);
  files.contents.clear();
  assert.equal(instance.isRecording(), false);
});
