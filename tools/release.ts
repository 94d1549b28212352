/**
 * What is released: the version and its date, told once, in CHANGELOG.md and lib/cli/version.ts.
 *
 * Everything that carries a date (man pages, packages, archives) takes it from here, so that building the same sources
 * twice gives the same bytes.
 *
 * @module
 */
import { VERSION } from "../lib/cli/version.ts";

const CHANGELOG = new URL("../CHANGELOG.md", import.meta.url);

/** A release. */
export interface Release {
  readonly version: string;
  /** `2026-11-23`. */
  readonly date: string;
  /** Seconds since 1970 at the beginning of that day, UTC: SOURCE_DATE_EPOCH. */
  readonly epoch: number;
}

/** The release these sources make. Throws when CHANGELOG.md does not date this version. */
export function release(changelog: string = Deno.readTextFileSync(CHANGELOG), version = VERSION): Release {
  const heading = [...changelog.matchAll(/^## \[(\S+)\] - (\d{4}-\d{2}-\d{2})$/gm)].find(([, name]) =>
    name === version
  );
  if (!heading) throw new Error(`CHANGELOG.md has no "## [${version}] - DATE"`);
  const date = heading[2]!;
  return { version, date, epoch: Date.parse(`${date}T00:00:00Z`) / 1000 };
}

/** What CHANGELOG.md says of one version: its lines, without the heading. */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^(?=## \[)/m);
  const section = sections.find((text) => text.startsWith(`## [${version}]`));
  if (section === undefined) throw new Error(`CHANGELOG.md says nothing of ${version}`);
  return section.slice(section.indexOf("\n") + 1).trim();
}
