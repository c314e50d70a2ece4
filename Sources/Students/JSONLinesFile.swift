import CanonicalJSON

/// JSON Lines with one object a line; blank lines are skipped.
enum JSONLinesFile {
    /// Reads a file.
    ///
    /// - Parameter parse: makes a value of a line's object; the second argument, `file:line`, is for messages.
    /// - Throws: ``StudentError`` naming file, line and cause, also for a `JSONFieldError` of `parse`.
    static func read<Value>(_ path: String, parse: (JSONObject, String) throws -> Value) throws -> [Value] {
        var values: [Value] = []
        let bytes = try FileSystem.read(path)
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { continue }
            let place = "\(path):\(index + 1)"
            do {
                let json = try JSON.parse(line)
                guard let object = json.object else {
                    throw StudentError(place, "should be an object, found \(json.kind)")
                }
                values.append(try parse(object, place))
            } catch let error as JSONSyntaxError {
                throw StudentError("\(place):\(error.column)", error.message)
            } catch let error as JSONFieldError {
                throw StudentError(place, "\(error)")
            }
        }
        return values
    }
}
