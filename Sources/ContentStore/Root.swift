import CanonicalJSON

/// What garbage collection keeps: actions with all they reference, and artifacts with all their content.
public struct Root: Sendable, Equatable {
    /// Letters, digits, `.`, `_` and `-`; not starting with a dot. The name of its file in `roots/`.
    public let name: String
    /// Sorted, each once.
    public let actions: [Digest]
    /// Digests of manifests; sorted, each once.
    public let artifacts: [Digest]

    /// - Throws: ``ContentStoreError`` with code `malformed` for a name that is not allowed.
    public init(name: String, actions: [Digest] = [], artifacts: [Digest] = []) throws {
        let isAllowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isAllowed, !name.isEmpty, name.utf8.count <= 200, name.utf8.first != UInt8(ascii: ".") else {
            throw ContentStoreError(
                .malformed, "the root \(JSON.string(name).canonicalText)", "it has a name that is not allowed",
                remedy: "use at most 200 letters, digits, dots, underscores and hyphens, without a dot at the start")
        }
        self.name = name
        self.actions = Digest.sortedSet(actions)
        self.artifacts = Digest.sortedSet(artifacts)
    }

    var document: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(#"{"actions":"#)
        bytes.append(listOf: actions)
        bytes.append(#","artifacts":"#)
        bytes.append(listOf: artifacts)
        bytes.append(#","format":"retort-root/1"}"#)
        return bytes
    }

    /// Nil where the bytes are no root of this format.
    init?(name: String, document: [UInt8]) {
        guard let value = try? JSON.parse(document), value["format"]?.string == "retort-root/1" else { return nil }
        func digests(_ key: String) -> [Digest]? {
            guard let values = value[key]?.array else { return nil }
            let digests = values.compactMap { $0.string.flatMap { Digest(hex: $0) } }
            return digests.count == values.count ? digests : nil
        }
        guard let actions = digests("actions"), let artifacts = digests("artifacts"),
            let root = try? Root(name: name, actions: actions, artifacts: artifacts)
        else { return nil }
        self = root
    }
}

extension LocalStore {
    /// Keeps what `root` names from collection, replacing an earlier root of that name; what a ``RootLog`` has added
    /// stays beside it. Durable on return.
    public func setRoot(_ root: Root) throws {
        let temporary = try temporaryPath()
        let path = rootPath(root.name)
        let document = root.document
        if try FileSystem.contents(of: path, limit: 1 << 30) == document { return }
        try FileSystem.replace(path, with: document, temporary: temporary)
    }

    /// As ``setRoot(_:)``, and what a ``RootLog`` of the name has added goes.
    public func settleRoot(_ root: Root) throws {
        try setRoot(root)
        try FileSystem.remove(rootPath(root.name, RootLog.fileExtension))
    }

    /// Keeps what the root named only for others' sake. Returns whether there was one.
    @discardableResult
    public func removeRoot(_ name: String) throws -> Bool {
        _ = try writing()
        let paths = try [".json", RootLog.fileExtension].map { rootPath(try Root(name: name).name, $0) }
            .filter { try FileSystem.status(of: $0) != nil }
        guard !paths.isEmpty else { return false }
        for path in paths { try FileSystem.remove(path) }
        try FileSystem.synchronize(layout.roots)
        return true
    }

    /// All roots, by name, with what their logs have added.
    ///
    /// - Throws: ``ContentStoreError``: `malformed` for a file in `roots/` that is no root, or `system`.
    public func roots() throws -> [Root] {
        var roots: [String: Root] = [:]
        for file in try FileSystem.names(in: layout.roots) ?? [] where !file.hasPrefix(".") {
            let path = "\(layout.roots)/\(file)"
            guard let root = try root(at: path, file) else { continue }
            roots[root.name] = try roots[root.name]?.joined(with: root) ?? root
        }
        return roots.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// What one file says; nil where it is gone meanwhile.
    private func root(at path: String, _ file: String) throws -> Root? {
        if file.hasSuffix(RootLog.fileExtension) {
            // One without keys was made by a run that had finished nothing yet.
            guard let keys = try RootLog.keys(at: path), !keys.isEmpty else { return nil }
            return try Root(name: String(file.dropLast(RootLog.fileExtension.utf8.count)), actions: keys)
        }
        guard let bytes = try FileSystem.contents(of: path, limit: 1 << 30) else { return nil }
        guard file.hasSuffix(".json"), let root = Root(name: String(file.dropLast(5)), document: bytes) else {
            throw ContentStoreError(
                .malformed, path, "it is no root that this program understands",
                remedy: "update Retort if a newer one wrote it; otherwise remove the file and pin or run again")
        }
        return root
    }

    func rootPath(_ name: String, _ ending: String = ".json") -> String { "\(layout.roots)/\(name)\(ending)" }
}

extension Root {
    /// What either keeps, under this name.
    fileprivate func joined(with other: Root) throws -> Root {
        try Root(name: name, actions: actions + other.actions, artifacts: artifacts + other.artifacts)
    }
}
