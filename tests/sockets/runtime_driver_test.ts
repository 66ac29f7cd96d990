import { runtimeDriver } from "../../lib/sockets/runtime_driver.ts";
import { socketContract } from "../contract/socket_contract.ts";

socketContract("runtime", runtimeDriver);
