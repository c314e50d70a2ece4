/// Numbers with a fixed count of decimals, independent of the locale.
public enum FixedPoint {
    /// - Precondition: `digits` is at most 9.
    public static func text(_ value: Double, digits: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        guard let units = Int64(exactly: (abs(value) * Double(scale)).rounded()) else { return "\(value)" }
        let sign = value < 0 && units > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(units)" }
        let fraction = String(units % scale)
        return "\(sign)\(units / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }
}
