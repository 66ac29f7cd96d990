import { Random } from "../../../lib/upstream/balancer/random.ts";
import { policyContract } from "../../contract/policy_contract.ts";

policyContract("Random", (upstreams, options) => new Random(upstreams, options), { spread: "even", joint: false });
