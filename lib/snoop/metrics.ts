/**
 * Counters of the helper, and their text for Prometheus (exposition format 0.0.4). Pure.
 *
 * No label carries a key or a client: what a key is worth is known to whoever reads metrics.
 *
 * @module
 */

/** Upper bounds of the histogram's buckets, in seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30] as const;

/** What is counted at the moment of asking rather than as it happens. */
export interface Gauges {
  readonly clients: number;
  readonly running: number;
  readonly nexuses: number;
  readonly sharedNexuses: number;
  readonly openDescriptors: number;
  readonly residentBytes: number;
}

interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
}

const FAMILIES = {
  commands: { type: "counter", help: "Commands of clients, by direction, service action and status." },
  command_seconds: { type: "histogram", help: "Time from a complete request to its answer." },
  extra_commands: { type: "counter", help: "Commands of the helper itself, sent where a reply does not prove enough." },
  masked: { type: "counter", help: "PERSISTENT RESERVE OUT commands refused because guests may not register others." },
  window_busy: { type: "counter", help: "PERSISTENT RESERVE OUT commands answered BUSY during a hand-over." },
  connections: { type: "counter", help: "Connections accepted." },
  closed: { type: "counter", help: "Connections closed, by reason." },
  turned_away: { type: "counter", help: "Connections that could not be accepted." },
  differences: { type: "counter", help: "Times the LUN said something else than what was remembered." },
  state_failures: { type: "counter", help: "State files that could not be written." },
  defects: { type: "counter", help: "Commands that met a defect of the helper." },
} as const satisfies Record<string, Family>;

/** Names of the counters. */
export type Counter = Exclude<keyof typeof FAMILIES, "command_seconds">;

/** All counters of one helper. */
export class Metrics {
  readonly #counts = new Map<string, number>();
  readonly #commandNames = new Map<number, string>();
  readonly #buckets: number[] = BUCKETS.map(() => 0);
  #observed = 0;
  #sum = 0;

  /** Counts one; `labels` in the order they are to be shown. */
  count(counter: Counter, labels: Readonly<Record<string, string>> = {}): void {
    const name = `prmig_snoop_${counter}_total${labelText(labels)}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** One command, counted without making its labels anew each time: this is on every command's way. */
  command(direction: "in" | "out", action: number, name: (action: number) => string, status: number): void {
    const code = (direction === "in" ? 0 : 0x10000) + action * 0x100 + status;
    const known = this.#commandNames.get(code);
    if (known !== undefined) {
      this.#counts.set(known, this.#counts.get(known)! + 1);
      return;
    }
    const labels = { direction, action: name(action), status: `0x${status.toString(16).padStart(2, "0")}` };
    this.#commandNames.set(code, `prmig_snoop_commands_total${labelText(labels)}`);
    this.count("commands", labels);
  }

  /** One command's time. */
  observe(seconds: number): void {
    this.#observed++;
    this.#sum += seconds;
    for (let i = BUCKETS.length - 1; i >= 0 && seconds <= BUCKETS[i]!; i--) this.#buckets[i]!++;
  }

  /** Value of a counter, over all its labels. */
  total(counter: Counter): number {
    const prefix = `prmig_snoop_${counter}_total`;
    let sum = 0;
    for (const [name, value] of this.#counts) if (name === prefix || name.startsWith(`${prefix}{`)) sum += value;
    return sum;
  }

  /** Everything as text. `startedAt`: seconds since 1970. */
  render(gauges: Gauges, version: string, startedAt: number): string {
    const lines: string[] = [];
    for (const [name, { type, help }] of Object.entries(FAMILIES)) {
      const full = `prmig_snoop_${name}${type === "counter" ? "_total" : ""}`;
      lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`);
      if (type === "histogram") lines.push(...this.#histogram(full));
      else lines.push(...this.#counter(full));
    }
    const gauge = (name: string, help: string, value: number, labels = ""): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name}${labels} ${value}`);
    };
    gauge("prmig_snoop_clients", "Connections open now.", gauges.clients);
    gauge("prmig_snoop_running", "Commands under way now.", gauges.running);
    gauge("prmig_snoop_nexuses", "I_T nexuses seen since the start.", gauges.nexuses);
    gauge(
      "prmig_snoop_shared_nexuses",
      "Nexuses that several living clients use for reservations.",
      gauges.sharedNexuses,
    );
    gauge("prmig_snoop_open_descriptors", "Descriptors of the process.", gauges.openDescriptors);
    gauge("prmig_snoop_resident_bytes", "Resident memory of the process.", gauges.residentBytes);
    gauge("prmig_snoop_start_time_seconds", "When the process started.", startedAt);
    gauge("prmig_snoop_info", "Version of the helper.", 1, labelText({ version }));
    return lines.join("\n") + "\n";
  }

  #counter(full: string): string[] {
    const mine = [...this.#counts].filter(([name]) => name === full || name.startsWith(`${full}{`));
    return mine.length === 0 ? [`${full} 0`] : mine.sort().map(([name, value]) => `${name} ${value}`);
  }

  #histogram(full: string): string[] {
    return [
      ...BUCKETS.map((bound, i) => `${full}_bucket{le="${bound}"} ${this.#buckets[i]}`),
      `${full}_bucket{le="+Inf"} ${this.#observed}`,
      `${full}_sum ${this.#sum}`,
      `${full}_count ${this.#observed}`,
    ];
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
