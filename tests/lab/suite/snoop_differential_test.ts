/**
 * `prmig snoop` against qemu-pr-helper, request by request, with the documented masking and without any.
 */
import { differential } from "../snoop_differential.ts";

differential("with masking", []);
differential("without masking", ["--no-mask"]);
