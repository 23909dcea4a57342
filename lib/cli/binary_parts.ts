/**
 * What each isolate of the binary needs before anything else: the Kafka addon's place, and `weir` for the topology files.
 *
 * @module
 */
import { useNativeAddon } from "../kafka/native/build.ts";
import { extractNative } from "./native_extract.ts";
import { provideWeirModule } from "./weir_module.ts";

useNativeAddon(extractNative("addon"));
provideWeirModule();
