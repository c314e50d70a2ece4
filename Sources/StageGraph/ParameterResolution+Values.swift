import CanonicalJSON

extension ParameterResolution {
    /// One value of a kind, or nil with the mistakes noted.
    mutating func value(
        _ written: DraftValue, _ kind: Parameter.Kind, allowsNull: Bool = false, at place: Place
    ) -> Resolved? {
        switch written {
        case .unreadable: return nil
        case .substituted(let inner, let origin):
            var place = place
            place.origin = origin
            return value(inner, kind, allowsNull: allowsNull, at: place)
        case .scalar(.null) where allowsNull: return Resolved(value: .null, keyed: kind.isPath ? nil : .null)
        default: break
        }
        switch kind {
        case .boolean, .integer, .number, .string, .choice: return scalar(written, kind, at: place)
        case .file: return path(written, kind, isDirectory: false, at: place)
        case .directory: return path(written, kind, isDirectory: true, at: place)
        case .localPath: return localPath(written, kind, at: place)
        case .any: return any(written, at: place)
        case .list(let element): return list(written, element, kind, at: place)
        case .dictionary(let element): return dictionary(written, element, kind, at: place)
        case .object(let declared): return object(written, declared, kind, at: place)
        case .variant(let tag, let cases): return variant(written, tag, cases, kind, at: place)
        }
    }

    private mutating func scalar(_ written: DraftValue, _ kind: Parameter.Kind, at place: Place) -> Resolved? {
        guard case .scalar(let json) = written else { return mismatch(written, kind, at: place) }
        let value: JSON? =
            switch kind {
            case .boolean: json.bool.map { .bool($0) }
            case .integer(let range): json.integer.flatMap { range.contains($0) ? .integer(Int64($0)) : nil }
            case .number(let range): json.double.flatMap { range.contains($0) ? .number($0) : nil }
            case .choice(let names): json.string.flatMap { names.contains($0) ? .string($0) : nil }
            default: json.string.map { .string($0) }
            }
        guard let value else { return mismatch(written, kind, at: place) }
        return Resolved(value: value, keyed: value)
    }

    private mutating func path(
        _ written: DraftValue, _ kind: Parameter.Kind, isDirectory: Bool, at place: Place
    ) -> Resolved? {
        guard case .scalar(.string(let text)) = written, !text.isEmpty, !text.utf8.contains(0) else {
            return mismatch(written, kind, at: place)
        }
        let base = place.origin?.baseDirectory ?? baseDirectory
        add(
            SourcePath(
                role: place.path, path: joinedPath(base, text), written: text, isDirectory: isDirectory,
                location: place.location))
        return Resolved(value: .string(text), keyed: nil)
    }

    private mutating func localPath(_ written: DraftValue, _ kind: Parameter.Kind, at place: Place) -> Resolved? {
        guard case .scalar(.string(let text)) = written, !text.isEmpty, !text.utf8.contains(0) else {
            return mismatch(written, kind, at: place)
        }
        return Resolved(value: .string(joinedPath(place.origin?.baseDirectory ?? baseDirectory, text)), keyed: nil)
    }

    private mutating func any(_ written: DraftValue, at place: Place) -> Resolved? {
        switch written {
        case .scalar(let json): return Resolved(value: json, keyed: json)
        case .list: return value(written, .list(.any), at: place)
        case .mapping: return value(written, .dictionary(.any), at: place)
        case .substituted, .unreadable: return value(written, .any, at: place)
        }
    }

    private mutating func list(
        _ written: DraftValue, _ element: Parameter.Kind, _ kind: Parameter.Kind, at place: Place
    ) -> Resolved? {
        guard case .list(let elements) = written else { return mismatch(written, kind, at: place) }
        let resolved = elements.enumerated().map { index, item in
            value(item.value, element, at: place.element(index, at: item.location))
        }
        let complete = resolved.compactMap(\.self)
        guard complete.count == elements.count else { return nil }
        return Resolved(
            value: .array(complete.map(\.value)), keyed: element.isPath ? nil : .array(complete.compactMap(\.keyed)))
    }

    private mutating func dictionary(
        _ written: DraftValue, _ element: Parameter.Kind, _ kind: Parameter.Kind, at place: Place
    ) -> Resolved? {
        guard case .mapping(let given) = written else { return mismatch(written, kind, at: place) }
        let repeated = repeatedKeys(given)
        for key in repeated {
            report("parameter \"\(place.member(key, at: nil).path)\" is given twice", place)
        }
        var values: [(String, JSON)] = []
        var keyed: [(String, JSON)] = []
        for (key, item) in given {
            guard let resolved = value(item.value, element, at: place.member(key.value, at: item.location)) else {
                continue
            }
            values.append((key.value, resolved.value))
            if let part = resolved.keyed { keyed.append((key.value, part)) }
        }
        guard values.count == given.count, repeated.isEmpty else { return nil }
        return Resolved(
            value: .object(JSONObject(values)), keyed: element.isPath ? nil : .object(JSONObject(keyed)))
    }

    private mutating func object(
        _ written: DraftValue, _ declared: [Parameter], _ kind: Parameter.Kind, at place: Place
    ) -> Resolved? {
        guard case .mapping(let given) = written else { return mismatch(written, kind, at: place) }
        let resolved = members(given, declared: declared, owner: "\"\(place.path)\"", at: place)
        return resolved.map { Resolved(value: .object($0.values), keyed: .object($0.keyed)) }
    }

    private mutating func variant(
        _ written: DraftValue, _ tag: String, _ cases: [(name: String, parameters: [Parameter])],
        _ kind: Parameter.Kind, at place: Place
    ) -> Resolved? {
        guard case .mapping(let given) = written else { return mismatch(written, kind, at: place) }
        let names = cases.map(\.name)
        guard let chosen = given.first(where: { $0.key.value == tag }) else {
            report(
                "missing parameter \"\(place.member(tag, at: nil).path)\" of stage type \(stageType): \(Parameter.Kind.choice(names).expectation)",
                place)
            return nil
        }
        let tagPlace = place.member(tag, at: chosen.value.location)
        guard case .string(let name)? = value(chosen.value.value, .choice(names), at: tagPlace)?.value,
            let declared = cases.first(where: { $0.name == name })?.parameters
        else { return nil }
        var elsewhere: [String: [String]] = [:]
        for other in cases where other.name != name {
            for parameter in other.parameters {
                elsewhere[parameter.name, default: []].append("\(tag) \(other.name)")
            }
        }
        let tagParameter = Parameter(tag, .choice(names), "")
        let resolved = members(
            given, declared: [tagParameter] + declared, owner: "\"\(place.path)\" of \(tag) \(name)",
            elsewhere: elsewhere, at: place)
        return resolved.map { Resolved(value: .object($0.values), keyed: .object($0.keyed)) }
    }

    private mutating func mismatch(_ written: DraftValue, _ kind: Parameter.Kind, at place: Place) -> Resolved? {
        var message = "parameter \"\(place.path)\" takes \(kind.expectation), found \(written.found)"
        switch (kind, written) {
        case (.choice(let names), .scalar(.string(let text))):
            if let nearest = nearestName(to: text, among: names) { message += "; did you mean \"\(nearest)\"?" }
        case (.string, .scalar(let json)) where !json.isNull,
            (.choice, .scalar(let json)) where !json.isNull,
            (.file, .scalar(let json)) where !json.isNull && json.string == nil,
            (.directory, .scalar(let json)) where !json.isNull && json.string == nil:
            message += "; write \"\(json.canonicalText)\" in quotes"
        default: break
        }
        report(message, place)
        return nil
    }
}

/// Keys that stand more than once, in order. Keys are compared by bytes.
private func repeatedKeys(_ members: ParameterResolution.Members) -> [String] {
    var seen: Set<[UInt8]> = []
    return members.map(\.key.value).filter { !seen.insert(Array($0.utf8)).inserted }
}

/// A path, with a relative one taken from `base`.
private func joinedPath(_ base: String, _ path: String) -> String {
    if path.utf8.first == UInt8(ascii: "/") || base.isEmpty || base == "." { return path }
    return base.utf8.last == UInt8(ascii: "/") ? base + path : "\(base)/\(path)"
}

extension Parameter.Kind {
    /// Whether values of the kind are nothing but paths, so that no part of them belongs to the action key.
    fileprivate var isPath: Bool {
        switch self {
        case .file, .directory, .localPath: true
        case .list(let element), .dictionary(let element): element.isPath
        default: false
        }
    }
}
