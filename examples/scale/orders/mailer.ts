/** Mails each customer whose order is paid. */
import { setTimeout as delay } from "node:timers/promises";
import { r } from "@bluelibs/runner";
import { composition } from "./composition";
import { paid } from "./contract";
import { openMails } from "./mails";
import { serve } from "./service";
import { setting } from "./settings";

const { mailer } = await composition();

const mails = r
  .resource("mailer.resources.mails")
  .init(async () => openMails(setting("FOLDER")))
  .dispose(async (opened) => opened.close())
  .build();

const mailCustomer = r
  .hook("mailer.hooks.mailCustomer")
  .on(paid)
  .dependencies({ mails })
  .run(async ({ data }, { mails: outbox }) => {
    outbox.send(data);
    // A mailer that is killed now has not said that it is done: the mail is sent once more.
    await delay(5);
  })
  .build();

await serve("mailer", [paid, mails, mailCustomer, ...mailer()]);
