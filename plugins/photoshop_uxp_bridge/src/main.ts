/** Where UXP starts the panel. */

import { photoshop, uxp } from "./hosts.ts";
import { Panel } from "./panel.ts";

const panel = new Panel(photoshop(), uxp(), (address, options) => fetch(address, options));
void panel.start();
