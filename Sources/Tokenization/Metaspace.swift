import CanonicalJSON

/// The parameters that the Metaspace pre-tokenizer and decoder share.
struct Metaspace: Sendable {
    enum Prepends: String, Sendable {
        case first, never, always
    }

    let mark: Unicode.Scalar
    let prepends: Prepends

    init(_ reader: ComponentReader) throws(TokenizerError) {
        mark = try reader.scalar("replacement")
        let addsPrefixSpace = reader.object["add_prefix_space"]?.bool
        guard reader.object["prepend_scheme"] != nil else {
            // The older form of the file.
            prepends = addsPrefixSpace ?? true ? .always : .never
            return
        }
        let name = try reader.string("prepend_scheme")
        guard let prepends = Prepends(rawValue: name) else {
            throw .unsupported("prepend scheme", name, at: reader.path)
        }
        guard addsPrefixSpace != false || prepends == .never else {
            throw TokenizerError(
                path: reader.path, problem: "add_prefix_space is false but prepend_scheme is \"\(name)\"")
        }
        self.prepends = prepends
    }
}
