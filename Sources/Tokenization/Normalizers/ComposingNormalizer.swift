/// Unicode normalisation form C.
///
/// A character that several became keeps the origin of the first; one that came out of another shares its origin.
struct ComposingNormalizer: Normalizer {
    /// A scalar on the way: what it does to the sequence, as the number of scalars it adds (1: it has no counterpart
    /// before) or removes (−n: it stands for n more than one).
    private typealias Step = (scalar: UInt32, change: Int)

    func normalize(_ text: inout MappedText) {
        let composition = CanonicalComposition.shared
        let scalars = ComposingNormalizer.scalars(text.bytes)
        guard scalars.contains(where: composition.isUnstable) else { return }
        let steps = ComposingNormalizer.compose(ComposingNormalizer.decompose(scalars, composition), composition)
        var output = MappedText()
        var place = 0  // in bytes of the old text
        for (scalar, change) in steps {
            let origin: MappedText.Origin
            if change > 0 {
                origin = place > 0 ? text.origins[place - 1] : .init(start: 0, end: 0)
            } else {
                origin = text.origins[place]
                for _ in 0..<1 - change where place < text.bytes.count {
                    place += 1
                    while place < text.bytes.count, text.bytes[place] & 0xC0 == 0x80 { place += 1 }
                }
            }
            output.append(UTF8.encode(Unicode.Scalar(scalar)!)!, origin: origin)
        }
        text = output
    }

    private static func scalars(_ bytes: [UInt8]) -> [UInt32] {
        bytes.withUnsafeBufferPointer { bytes in
            let reader = ScalarReader(bytes: bytes, classes: UnsafePointer(bitPattern: 1)!)
            var scalars: [UInt32] = []
            var offset = 0
            while offset < bytes.count {
                let (value, end) = reader.scalar(at: offset)
                scalars.append(value)
                offset = end
            }
            return scalars
        }
    }

    /// Full decomposition, with combining marks in canonical order.
    private static func decompose(_ scalars: [UInt32], _ composition: CanonicalComposition) -> [Step] {
        var steps: [Step] = []
        var marks: [(combiningClass: UInt8, step: Step)] = []
        func order() {
            // A stable sort: the marks of one class keep their order.
            let sorted = marks.enumerated().sorted {
                ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
            }
            steps.append(contentsOf: sorted.map(\.element.step))
            marks.removeAll(keepingCapacity: true)
        }
        for scalar in scalars {
            var change = 0
            composition.decompose(scalar) { part in
                let combiningClass = composition.combiningClass(part)
                if combiningClass == 0 {
                    order()
                    steps.append((part, change))
                } else {
                    marks.append((combiningClass, (part, change)))
                }
                change = 1
            }
        }
        order()
        return steps
    }

    private static func compose(_ steps: [Step], _ composition: CanonicalComposition) -> [Step] {
        var output: [Step] = []
        var starter: Step?
        var marks: [Step] = []
        var lastClass: UInt8?
        for step in steps {
            let combiningClass = composition.combiningClass(step.scalar)
            guard let base = starter else {
                if combiningClass == 0 { starter = step } else { output.append(step) }
                continue
            }
            let isBlocked = lastClass.map { $0 >= combiningClass } ?? false
            if !isBlocked, let joined = composition.compose(base.scalar, step.scalar) {
                starter = (joined, base.change + step.change - 1)
            } else if combiningClass == 0 {
                output.append(base)
                output.append(contentsOf: marks)
                marks.removeAll(keepingCapacity: true)
                (starter, lastClass) = (step, nil)
            } else {
                marks.append(step)
                lastClass = combiningClass
            }
        }
        if let starter { output.append(starter) }
        output.append(contentsOf: marks)
        return output
    }
}
