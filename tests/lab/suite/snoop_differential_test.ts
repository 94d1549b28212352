/**
 * `prmig snoop` against qemu-pr-helper, request by request, with the documented masking.
 */
import { differential } from "../snoop_differential.ts";

differential("with masking", []);
