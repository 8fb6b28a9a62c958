import { describeBytes } from "../contract/byteSuites";
import { describeCalls } from "../contract/callSuites";
import { describeItems } from "../contract/itemSuites";
import { describeScopes } from "../contract/scopeSuites";
import { describeSentItems } from "../contract/sentItemSuites";
import { describeSubscriptions } from "../contract/subscriptionSuites";
import { openBrowserPage, type BrowserPage } from "./openBrowserPage";
import { pageCarriers } from "./pageCarriers";

let browser: BrowserPage;
beforeAll(async () => void (browser = await openBrowserPage()), 30_000);
afterAll(() => browser?.[Symbol.asyncDispose](), 30_000);

const carriers = pageCarriers(() => browser);

describeCalls(carriers);
describeScopes(carriers);
describeBytes(carriers);
describeItems(carriers);
describeSentItems(carriers);
describeSubscriptions(carriers);
