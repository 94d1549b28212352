/**
 * Open: without masking prmig closed a connection in the course of the random requests; which request does it is not known.
 */
import { differential } from "../snoop_differential.ts";

differential("without masking", ["--no-mask"]);
