// Matrix clients on matrix-js-sdk and its Rust cryptography, many in one process, each a device of its own.
//
// One request a line on stdin: {"id", "who", "do", "with": {…}}; one answer a line on stdout: {"id", "result"} or
// {"id", "error"}. Keys live in memory: a client that is gone never reads again what it was sent.
import { createInterface } from "node:readline";

// Node 22 has it; all else that the library needs, Node 20 has too.
Promise.withResolvers ??= function () {
    const deferred = {};
    deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
    return deferred;
};

const silent = { getChild: () => silent };
for (const level of ["trace", "debug", "info"]) silent[level] = () => {};
for (const level of ["warn", "error"]) silent[level] = (...words) => console.error(level, ...words);
for (const level of ["log", "info", "debug", "trace"]) console[level] = () => {}; // stdout is for answers

const sdk = await import("matrix-js-sdk");
const crypto = await import("matrix-js-sdk/lib/crypto-api/index.js");

const PHASES = Object.fromEntries(Object.entries(crypto.VerificationPhase).map(([name, number]) => [number, name]));
const people = new Map();

class Person {
    constructor({ homeserver, user_id, access_token, device_id, password }) {
        this.password = password;
        this.client = sdk.createClient({
            baseUrl: homeserver, userId: user_id, accessToken: access_token, deviceId: device_id, logger: silent,
        });
        this.emoji = null;
    }

    async start() {
        await this.client.initRustCrypto({ useIndexedDB: false });
        this.crypto = this.client.getCrypto();
        this.client.on(crypto.CryptoEvent.VerificationRequestReceived, (request) => (this.request = request));
        const prepared = new Promise((resolve, reject) =>
            this.client.on(sdk.ClientEvent.Sync, (state, _before, data) => {
                if (state === "PREPARED") resolve();
                if (state === "STOPPED" || state === "ERROR") reject(data?.error ?? new Error(state));
            }),
        );
        await this.client.startClient({ initialSyncLimit: 500, lazyLoadMembers: false, disablePresence: true });
        await prepared;
        await this.until(async () => {
            const [me, device] = [this.client.getUserId(), this.client.getDeviceId()];
            return (await this.client.downloadKeysForUsers([me])).device_keys[me]?.[device];
        }, "own device keys at the homeserver");
    }

    async until(wanted, what) {
        for (let tries = 0; tries < 200; tries++) {
            const found = await wanted();
            if (found) return found;
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`${this.client.getUserId()} has waited in vain for ${what}`);
    }

    async room(id) {
        const joined = () => this.client.getRoom(id)?.getMyMembership() === "join";
        await this.until(joined, `being in ${id}`);
        return this.client.getRoom(id);
    }

    async send({ room, type, content }) {
        await this.room(room);
        return (await this.client.sendEvent(room, type, content)).event_id;
    }

    async timeline({ room }) {
        const events = (await this.room(room)).getLiveTimeline().getEvents().filter((event) => event.status === null);
        await Promise.all(events.map((event) => event.getDecryptionPromise()));
        return Promise.all(events.map((event) => this.seen(event)));
    }

    async seen(event) {
        const relation = event.getWireContent()["m.relates_to"];
        const info = event.isEncrypted() ? await this.crypto.getEncryptionInfoForEvent(event) : null;
        return {
            event_id: event.getId(), sender: event.getSender(), type: event.getType(), state_key: event.getStateKey(),
            content: { ...event.getOriginalContent(), ...(relation ? { "m.relates_to": relation } : {}) },
            origin_server_ts: event.getTs(), unsigned: event.getUnsigned(), redacts: event.event.redacts,
            encrypted: event.isEncrypted(), unreadable: event.decryptionFailureReason,
            shield: (info && crypto.EventShieldReason[info.shieldReason]) ?? null, wire: event.getWireContent(),
        };
    }

    /** What this person knows of another's devices and cross-signing; they are in an encrypted room together. */
    async trust({ user }) {
        const devices = (await this.crypto.getUserDeviceInfo([user], true)).get(user) ?? new Map();
        const found = {};
        for (const id of devices.keys()) {
            const known = () => this.crypto.getDeviceVerificationStatus(user, id);
            const status = await this.until(known, `devices of ${user}: is an encrypted room shared?`);
            found[id] = {
                signed_by_owner: status.signedByOwner, cross_signing_verified: status.crossSigningVerified,
                verified: status.isVerified(),
            };
        }
        const status = await this.crypto.getUserVerificationStatus(user);
        const has_cross_signing = await this.crypto.userHasCrossSigningKeys(user, true);
        return { devices: found, verified: status.isCrossSigningVerified(), has_cross_signing };
    }

    /** From now on: send to nobody's unsigned devices, and read nothing of theirs. */
    isolate() {
        this.crypto.setDeviceIsolationMode(new crypto.OnlySignedDevicesIsolationMode());
    }

    async bootstrap_cross_signing() {
        const identifier = { type: "m.id.user", user: this.client.getUserId() };
        await this.crypto.bootstrapCrossSigning({
            authUploadDeviceSigningKeys: (upload) =>
                upload({ type: "m.login.password", identifier, password: this.password }),
        });
    }

    /** Asks another person in a direct chat, or one device of theirs. */
    async ask_to_verify({ user, room, device }) {
        if (room) await this.room(room);
        await this.crypto.getUserDeviceInfo([user], true);
        this.emoji = null;
        this.request = room
            ? await this.crypto.requestVerificationDM(user, room)
            : await this.crypto.requestDeviceVerification(user, device);
    }

    verification() {
        const verifier = this.request?.verifier;
        // The other side may have started: then this one has yet to say that it goes along.
        if (verifier && verifier !== this.verifier) this.follow(verifier);
        return this.request && {
            phase: PHASES[this.request.phase], emoji: this.emoji, code: this.request.cancellationCode,
            cancelled_by: this.request.cancellingUserId, id: this.request.transactionId,
        };
    }

    follow(verifier) {
        this.verifier = verifier;
        verifier.on(crypto.VerifierEvent.ShowSas, (sas) => {
            this.sas = sas;
            this.emoji = sas.sas.emoji;
        });
        verifier.verify().catch(() => {}); // how it ended, the request tells
    }

    async start_emoji() {
        this.follow(await this.request.startVerification("m.sas.v1"));
    }

    async accept() {
        await this.request.accept();
    }

    async emoji_match() {
        await this.sas.confirm();
    }

    emoji_differ() {
        this.sas.mismatch();
    }

    async cancel() {
        await this.request.cancel();
    }

    stop() {
        this.client.stopClient();
    }
}

async function done(request) {
    if (request.do === "start") {
        const person = new Person(request.with);
        await person.start();
        people.set(request.who, person);
        return null;
    }
    const person = people.get(request.who);
    if (request.do === "stop") people.delete(request.who);
    return (await person[request.do](request.with ?? {})) ?? null;
}

process.on("unhandledRejection", (reason) => console.error("unhandled", reason));
for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    done(request).then(
        (result) => process.stdout.write(JSON.stringify({ id: request.id, result }) + "\n"),
        (error) => process.stdout.write(JSON.stringify({ id: request.id, error: `${error?.stack ?? error}` }) + "\n"),
    );
}
process.exit(0);
