import { Certificates } from "../support/certificates.ts";
import { tlsDriver } from "../support/tls_driver.ts";
import { socketContract } from "../contract/socket_contract.ts";

const certificates = await Certificates.make("IP:127.0.0.1");
const { driver, connectPeer } = tlsDriver(certificates);
await certificates[Symbol.asyncDispose]();

socketContract("runtime TLS", driver, { connectPeer });
