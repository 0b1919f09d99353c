import { testPassthrough } from './passthrough.ts';

testPassthrough('relay');
