import { ref55 } from "../lib/ref55.mjs";
import { startApp } from "./runnerApp.mjs";

export const start = ({ row }) => startApp(ref55(), row);
