/** Programs of ours that the kernel runs on what comes in on a device, and their maps: bpf(2). */
import { loadAddon } from './addon.ts';

/**
 * A hash map, which takes memory for what is in it alone.
 * @returns its descriptor
 * @throws {IoError} EPERM without CAP_BPF; ENOSYS: the kernel has no such things
 */
export function createMap(keySize: number, valueSize: number, entries: number): number {
  return loadAddon().bpfMap(keySize, valueSize, entries);
}

/**
 * @param instructions struct bpf_insn records in host order
 * @returns its descriptor
 * @throws {IoError} EPERM without CAP_BPF and CAP_NET_ADMIN; EACCES, EINVAL with the verifier's reason
 */
export function loadProgram(instructions: Uint8Array): number {
  return loadAddon().bpfProgram(instructions);
}

/**
 * From now on the program sees what comes in on the device (TCX, from Linux 6.6 on), before the firewall does.
 * @returns a descriptor: the program is gone from the device when it is closed, by whatever end of the process
 * @throws {IoError} EINVAL: the kernel is older; ENODEV; EPERM without CAP_NET_ADMIN
 */
export function attachProgram(program: number, device: number): number {
  return loadAddon().bpfAttach(program, device);
}

/** @throws {IoError} E2BIG: it is full */
export function writeEntry(map: number, key: Uint8Array, value: Uint8Array): void {
  loadAddon().bpfWrite(map, key, value);
}

/** @returns whether it was there @throws {IoError} */
export function eraseEntry(map: number, key: Uint8Array): boolean {
  return loadAddon().bpfErase(map, key);
}

/** @param value is filled @returns whether it is there @throws {IoError} */
export function readEntry(map: number, key: Uint8Array, value: Uint8Array): boolean {
  return loadAddon().bpfRead(map, key, value);
}
