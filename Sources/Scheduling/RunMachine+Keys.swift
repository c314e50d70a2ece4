import CanonicalJSON
import ContentStore
import StageGraph

/// The pre-images of keys, from what has arrived so far.
extension RunMachine {
    func actionPreimage(_ id: ActionID) -> ActionPreimage {
        let state = stages[id.stage]
        var position = 0
        var inputs: [ActionPreimage.Input] = []
        for input in state.inputs {
            if input.isSharded {
                let contents = shards(readBy: id, at: position).map {
                    ActionPreimage.Content(digest: $0.digest, records: $0.records, label: $0.prefix.text)
                }
                inputs.append(.init(role: input.binding.role, contents: contents))
                position += 1
            } else {
                inputs.append(.init(role: input.binding.role, contents: [artifactContent(input)]))
            }
        }
        return preimage(.action, state, inputs, shard: state.isMap ? state.tasks![id.task].prefix.text : nil)
    }

    func memoPreimage(_ stage: Int) -> ActionPreimage {
        let state = stages[stage]
        let inputs = state.inputs.map {
            ActionPreimage.Input(role: $0.binding.role, contents: [artifactContent($0)])
        }
        return preimage(.stage, state, inputs, partition: state.tasks!.map(\.prefix))
    }

    private func artifactContent(_ input: StageState.Input) -> ActionPreimage.Content {
        let artifact = stages[input.source].outputs[input.binding.source.output]!
        return .init(digest: artifact.digest, records: artifact.tree.isEmpty ? artifact.count : nil)
    }

    private func preimage(
        _ scope: ActionPreimage.Scope, _ state: StageState, _ inputs: [ActionPreimage.Input], shard: String? = nil,
        partition: [ShardPrefix] = []
    ) -> ActionPreimage {
        ActionPreimage(
            scope: scope, stage: state.signature.name, version: state.signature.version, shard: shard,
            parameters: state.node.parameters.keyed, inputs: inputs, sources: state.sources ?? [],
            programs: state.programs, partition: partition)
    }
}
