import { runtimeDriver } from "../../lib/sockets/runtime_driver.ts";
import { socketContract } from "../contract/socket_contract.ts";
import { socketDriverContract } from "../contract/socket_driver_contract.ts";
import { runtimeFaults } from "../support/runtime_faults.ts";

socketContract("runtime", runtimeDriver, { faults: await runtimeFaults() });
socketDriverContract("runtime", runtimeDriver, {
  program: { module: new URL("../../lib/sockets/runtime_driver.ts", import.meta.url).href, name: "runtimeDriver" },
});
