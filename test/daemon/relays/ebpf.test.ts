import { testPassthrough } from './passthrough.ts';

testPassthrough('ebpf');
