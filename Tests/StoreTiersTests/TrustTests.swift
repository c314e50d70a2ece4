import CanonicalJSON
import ContentStore
import Foundation
import Testing

@testable import StoreTiers

@Suite struct TrustTests {
    private let folder: TemporaryFolder
    private let team: String

    init() throws {
        folder = try TemporaryFolder()
        team = try folder.makeFolder("team")
    }

    @Test func aTrustedSignerIsBelieved() async throws {
        let signer = SigningKey()
        let first = try Machine(folder.file("a"), .directory(team), signer: signer)
        let key = try first.publish("work", [[1, 2, 3]])
        #expect(await first.finishUploads() == [])
        let second = try Machine(folder.file("b"), .directory(team, trusted: [signer.publicKey]))
        #expect(try second.store.lookup(key).outputs != nil)
        #expect(second.warnings.all == [])
    }

    @Test func unsignedAndForeignResultsAreMissesWithOneWarning() async throws {
        let (own, foreign) = (SigningKey(), SigningKey())
        let unsigned = try Machine(folder.file("a"), .directory(team))
        let keys = try (0..<3).map { try unsigned.publish("unsigned \($0)", [[UInt8($0)]]) }
        #expect(await unsigned.finishUploads() == [])
        let second = try Machine(folder.file("b"), .directory(team, trusted: [own.publicKey]))
        #expect(try second.store.lookup(keys) == [.miss, .miss, .miss])
        #expect(
            second.warnings.all == [
                """
                the tier file://\(team): the result of action \(keys[0].short) is not used, nor others like it: it is \
                not signed
                """
            ])

        let stranger = try Machine(folder.file("c"), .directory(team), signer: foreign)
        let key = try stranger.publish("foreign", [[9]])
        #expect(await stranger.finishUploads() == [])
        let third = try Machine(folder.file("d"), .directory(team, trusted: [own.publicKey]))
        #expect(try third.store.lookup(key) == .miss)
        #expect(third.warnings.all.count == 1)
        #expect(third.warnings.all[0].hasSuffix("whom this tier's configuration does not trust"))
    }

    @Test func anAlteredOrTransplantedResultIsNotUsed() throws {
        let signer = SigningKey()
        let (key, other) = (Digest(of: "key"), Digest(of: "other"))
        let document = ActionResult(preimage: .null, outputs: .integer(1), references: []).document(for: key)
        let signed = try SignedResult.encode(document, signer: signer)
        let trusted = [signer.publicKey]
        #expect(
            SignedResult.decode(signed, key: key, trusted: trusted)
                == .usable(try ActionResult(document: document, for: key)))

        // Someone who can write to the tier makes a document of their own and keeps the signature.
        let forged = ActionResult(preimage: .null, outputs: .integer(2), references: []).document(for: key)
        let altered = forged + signed[document.count...]
        #expect(
            SignedResult.decode(altered, key: key, trusted: trusted)
                == .untrusted("it was altered: the signature of \(signer.publicKey) does not fit it"))
        let transplanted = SignedResult.decode(signed, key: other, trusted: trusted)
        #expect(transplanted == .unusable("it is the result of another key, \(key.hex.prefix(12))"))
        let cut = SignedResult.decode(Array(signed.dropLast(3)), key: key, trusted: trusted)
        #expect(cut == .untrusted("its signatures cannot be read"))
    }

    @Test func everyFlippedBitIsSeen() throws {
        let signer = SigningKey()
        let key = Digest(of: "key")
        let result = ActionResult(preimage: .null, outputs: .integer(1), references: [])
        let signed = try SignedResult.encode(result.document(for: key), signer: signer)
        for position in signed.indices {
            var bytes = signed
            bytes[position] ^= 1
            guard case .usable(let read) = SignedResult.decode(bytes, key: key, trusted: [signer.publicKey]) else {
                continue
            }
            #expect(read == result, "byte \(position)")
        }
    }

    @Test func aKeyFileIsItsOwnersAloneOrRefused() throws {
        let key = SigningKey()
        let path = folder.file("keys/signing.key")
        try key.save(to: path)
        #expect(try SigningKey(file: path).publicKey == key.publicKey)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(
            throws: SigningKeyError(
                path: path, problem: "there is a key already",
                remedy: "choose another file; a key that is replaced is lost")
        ) { try SigningKey().save(to: path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(
            throws: SigningKeyError(
                path: path, problem: "others may read it (mode 640)",
                remedy: "chmod 600 it, and make a new key if someone may have")
        ) { try SigningKey(file: path) }
        let broken = folder.file("broken.key")
        try "hello\n".write(toFile: broken, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: broken)
        #expect(
            throws: SigningKeyError(
                path: broken, problem: "it is no signing key", remedy: "make one with retort key new")
        ) { try SigningKey(file: broken) }
        #expect(PublicSigningKey("\(key.publicKey)") == key.publicKey)
        #expect(PublicSigningKey("ed25519:AAAA") == nil)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let secret = String(text.split(separator: ":")[1].dropLast())
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!"\(key) \(dumped)".contains(secret))
    }
}
