import { describeItems } from "./itemSuites";
import { describeSentItems } from "./sentItemSuites";
import { streamingCarriers } from "./streamingCarriers";

describeItems(streamingCarriers);
describeSentItems(streamingCarriers);
